"""A model is there whole, or not at all."""

import asyncio
import json
import random
import shutil
from collections import namedtuple
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from airos_edge.errors import ModelError
from airos_edge.models import getting, manifest
from airos_edge.models.catalogue import Entry
from airos_edge.models.getting import Plan, Progress, alone, fetch, is_there, missing_bytes, plan
from airos_edge.models.hub import Hub, Patience, open_hub
from airos_edge.models.stored import StoredModel, stored_models
from tests.models.hub_server import COMMIT, HubServer, hub_server

pytestmark = pytest.mark.real_time

DATA = random.Random(1).randbytes(200_000)
OWL = Entry(
    "owl-small",
    "tts",
    "owl",
    "owl/model",
    ("big.bin", "deep/config.json"),
    "night",
    ("de",),
    licence="MIT",
    quality=7,
)
QUICK = Patience(connect_s=1, stall_s=1, tries=2, pause_s=0.01)


@pytest.fixture
def server() -> Iterator[HubServer]:
    with hub_server() as server:
        server.put("owl/model/big.bin", DATA)
        server.put("owl/model/deep/config.json", b"{}", is_large=False)
        yield server


@pytest.fixture
async def hub(server: HubServer) -> AsyncIterator[Hub]:
    async with open_hub(server.url, QUICK) as hub:
        yield hub


async def bring(hub: Hub, directory: Path, entry: Entry = OWL) -> Path:
    turns = asyncio.Semaphore(4)
    planned = await plan(hub, entry, turns)
    async with alone(directory, entry.name):
        progress = Progress(entry.name, planned.size_bytes)
        return await fetch(hub, planned, directory, turns, progress)


async def test_a_model_comes_with_its_manifest(hub: Hub, server: HubServer, tmp_path: Path) -> None:
    path = await bring(hub, tmp_path)
    assert manifest.files_in(path) == ["big.bin", "config.json"]
    assert [replace(one, arrived_ns=0) for one in stored_models(tmp_path)] == [
        StoredModel("owl-small", "tts", "owl", path, "night", ("de",), 7, COMMIT)
    ]
    told = json.loads((path / "airos.json").read_bytes())
    assert (told["licence"], told["source"]) == ("MIT", f"{server.url}/owl/model")
    assert told["files"]["big.bin"]["size"] == len(DATA)
    assert list(manifest.differences(path)) == []


async def test_what_is_planned_names_one_commit_all_sizes_and_whether_hashes_are_stated(
    hub: Hub, server: HubServer
) -> None:
    planned = await plan(hub, OWL, asyncio.Semaphore(4))
    assert (planned.revision, planned.size_bytes) == (COMMIT, len(DATA) + 2)
    assert planned.is_certain
    asked = {
        path.split("/resolve/")[1].split("/")[0]
        for method, path, _ in server.requests
        if method == "HEAD"
    }
    assert asked == {"main", COMMIT}  # the first file by its branch, the others by what that is
    server.states_hashes = False
    planned = await plan(hub, OWL, asyncio.Semaphore(4))
    assert (planned.revision, planned.is_certain) == ("main", False)


async def test_a_hub_that_gives_another_commit_than_asked_for_is_not_believed(
    hub: Hub, server: HubServer
) -> None:
    server.commit = "f" * 40
    entry = replace(OWL, revision=COMMIT)
    with pytest.raises(ModelError, match=f"the hub gives {'f' * 40}, though asked for {COMMIT}"):
        await plan(hub, entry, asyncio.Semaphore(4))


async def test_a_model_that_fails_is_absent_and_what_came_of_it_is_gone_on_with(
    hub: Hub, server: HubServer, tmp_path: Path
) -> None:
    file = server.put("owl/model/big.bin", DATA, cut_after=100_000, cuts=-1)
    server.files["owl/model/deep/config.json"].refusals = [(401, None)]
    with pytest.raises(ModelError, match="wants a login"):
        await bring(hub, tmp_path)
    assert stored_models(tmp_path) == []
    assert not (tmp_path / "owl-small").exists()
    file.cuts = 0
    await bring(hub, tmp_path)
    assert [model.name for model in stored_models(tmp_path)] == ["owl-small"]
    assert not list((tmp_path / ".arriving").glob("owl-small@*"))


async def test_only_what_is_missing_has_to_find_room(hub: Hub, tmp_path: Path) -> None:
    planned = await plan(hub, OWL, asyncio.Semaphore(4))
    assert missing_bytes([planned, planned], tmp_path) == 2 * planned.size_bytes
    arriving = tmp_path / ".arriving" / f"owl-small@{COMMIT[:12]}"
    arriving.mkdir(parents=True)
    (arriving / "big.bin.part").write_bytes(DATA[:150_000])
    assert missing_bytes([planned], tmp_path) == planned.size_bytes - 150_000


def test_a_disk_without_room_is_refused_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100_000_000))
    getting.refuse_full_disk(30_000_000, tmp_path)
    with pytest.raises(
        ModelError, match=r"900 MB are needed there and 100 MB free; make room for 867 MB"
    ):
        getting.refuse_full_disk(900_000_000, tmp_path)


async def test_another_edition_takes_the_place_of_the_one_before_whole(
    hub: Hub, server: HubServer, tmp_path: Path
) -> None:
    path = await bring(hub, tmp_path)
    (path / "of-before").touch()
    await bring(hub, tmp_path)
    assert not (path / "of-before").exists()
    assert not list((tmp_path / ".arriving").glob("*.old"))


async def test_what_was_once_seen_of_a_commit_has_to_come_again(
    hub: Hub, server: HubServer, tmp_path: Path
) -> None:
    await bring(hub, tmp_path)
    shutil.rmtree(tmp_path / "owl-small")
    server.put("owl/model/big.bin", DATA[::-1])
    with pytest.raises(
        ModelError, match=r"big.bin is another file than came before of the same revision"
    ):
        await bring(hub, tmp_path)
    assert stored_models(tmp_path) == []
    (tmp_path / ".seen" / "owl-small.json").unlink()
    await bring(hub, tmp_path)


@pytest.mark.parametrize(("revision", "there"), [("main", True), (COMMIT, True), ("f" * 40, False)])
def test_a_model_is_there_if_it_is_the_edition_that_the_catalogue_names(
    tmp_path: Path, revision: str, there: bool
) -> None:
    (tmp_path / "owl-small").mkdir()
    (tmp_path / "owl-small" / "airos.json").write_text(json.dumps({"revision": COMMIT}))
    entry = Entry("owl-small", "tts", "owl", "owl/model", (), revision=revision)
    assert is_there(entry, tmp_path) is there


async def test_who_brings_the_same_model_waits_and_another_does_not(tmp_path: Path) -> None:
    waiting, told = asyncio.Event(), []

    async def second() -> None:
        async with alone(tmp_path, "owl", waiting.set):
            told.append("second")

    async with alone(tmp_path, "owl"):
        work = asyncio.ensure_future(second())
        await waiting.wait()
        async with alone(tmp_path, "other"):
            told.append("other")
        told.append("first")
    await work
    assert told == ["other", "first", "second"]


async def test_progress_counts_what_is_there_and_what_comes(
    hub: Hub, server: HubServer, tmp_path: Path
) -> None:
    planned: Plan = await plan(hub, OWL, asyncio.Semaphore(4))
    arriving = tmp_path / ".arriving" / f"owl-small@{COMMIT[:12]}"
    arriving.mkdir(parents=True)
    (arriving / "big.bin.part").write_bytes(DATA[:150_000])
    seen: list[int] = []
    progress = Progress(
        "owl", planned.size_bytes, lambda progress: seen.append(progress.done_bytes)
    )
    await fetch(hub, planned, tmp_path, asyncio.Semaphore(1), progress)
    assert (progress.done_bytes, seen[-1]) == (planned.size_bytes, planned.size_bytes)
    assert progress.fetched_bytes == planned.size_bytes - 150_000

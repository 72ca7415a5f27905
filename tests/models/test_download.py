"""A file comes whole and as stated, whatever the server does meanwhile."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from airos_edge.errors import ModelError
from airos_edge.models.download import download
from airos_edge.models.hub import Hub, Patience, Stated, open_hub
from tests.models.hub_server import COMMIT, HubServer, hub_server

pytestmark = pytest.mark.real_time

DATA = random.Random(1).randbytes(300_000)
OTHER = random.Random(2).randbytes(300_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
QUICK = Patience(connect_s=5, stall_s=5, tries=3, pause_s=0.01, longest_pause_s=1)


@pytest.fixture
def server() -> Iterator[HubServer]:
    with hub_server() as server:
        yield server


@pytest.fixture
async def hub(server: HubServer) -> AsyncIterator[Hub]:
    async with open_hub(server.url, QUICK) as hub:
        yield hub


async def fetch(hub: Hub, target: Path, stated: Stated | None = None) -> str:
    if stated is None:
        stated = await hub.stated("owl/model", "main", "big.bin")
    return await download(hub, hub.url_of("owl/model", "main", "big.bin"), target, stated)


# ---- what the hub states -----------------------------------------------------------------------


async def test_of_a_large_file_size_hash_and_commit_are_known_before_it_is_fetched(
    server: HubServer, hub: Hub
) -> None:
    server.put("owl/model/big.bin", DATA)
    stated = await hub.stated("owl/model", "main", "big.bin")
    assert stated == Stated(len(DATA), SHA256, None, COMMIT)
    assert server.requests == [("HEAD", "/owl/model/resolve/main/big.bin", "")]


async def test_of_a_small_file_gits_own_hash_is_known(server: HubServer, hub: Hub) -> None:
    server.put("owl/model/config.json", b"{}", is_large=False)
    # As `printf '{}' | git hash-object --stdin` says.
    sha1 = "9e26dfeeb6e641a33dae4961196235bdb965b21b"
    assert await hub.stated("owl/model", "main", "config.json") == Stated(2, None, sha1, COMMIT)


async def test_a_plain_web_server_states_a_size_and_no_hash(server: HubServer, hub: Hub) -> None:
    server.states_hashes = False
    server.put("owl/model/big.bin", DATA)
    assert await hub.stated("owl/model", "main", "big.bin") == Stated(len(DATA))


# ---- what comes --------------------------------------------------------------------------------


async def test_a_file_comes_whole_and_nothing_else_is_left(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    server.put("owl/model/big.bin", DATA)
    assert await fetch(hub, tmp_path / "in" / "big.bin") == SHA256
    assert (tmp_path / "in" / "big.bin").read_bytes() == DATA
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["big.bin"]


async def test_where_the_connection_breaks_off_it_is_gone_on_with(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    server.put("owl/model/big.bin", DATA, cut_after=100_000, cuts=2)
    assert await fetch(hub, tmp_path / "big.bin") == SHA256
    first, *others = server.ranges("/cdn/")
    assert first == ""
    assert len(others) == 2
    assert all(int(said.removeprefix("bytes=").rstrip("-")) >= 90_000 for said in others)


async def test_what_an_earlier_call_left_is_not_fetched_again(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    server.put("owl/model/big.bin", DATA)
    (tmp_path / "big.bin.part").write_bytes(DATA[:200_000])
    told: list[int] = []
    stated = await hub.stated("owl/model", "main", "big.bin")
    url = hub.url_of("owl/model", "main", "big.bin")
    assert await download(hub, url, tmp_path / "big.bin", stated, told.append) == SHA256
    assert server.ranges("/cdn/") == ["bytes=200000-"]
    assert (told[0], sum(told)) == (200_000, 300_000)


async def test_a_file_that_is_there_whole_is_looked_at_and_not_fetched(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    server.put("owl/model/big.bin", DATA)
    (tmp_path / "big.bin").write_bytes(DATA)
    assert await fetch(hub, tmp_path / "big.bin") == SHA256
    assert server.ranges("/cdn/") == []


async def test_a_stalled_connection_is_given_up_and_gone_on_with(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    server.put("owl/model/big.bin", DATA, stall_after=150_000)
    stated = await hub.stated("owl/model", "main", "big.bin")
    async with open_hub(server.url, replace(QUICK, stall_s=0.2)) as hasty:
        assert await fetch(hasty, tmp_path / "big.bin", stated) == SHA256
    first, *others = server.ranges("/cdn/")
    assert (first, bool(others)) == ("", True)
    assert all(int(said.removeprefix("bytes=").rstrip("-")) >= 100_000 for said in others)


async def test_a_server_that_knows_no_ranges_sends_all_again(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    server.put("owl/model/big.bin", DATA, ignores_ranges=True)
    (tmp_path / "big.bin.part").write_bytes(DATA[:200_000])
    assert await fetch(hub, tmp_path / "big.bin") == SHA256


async def test_a_file_that_changes_between_two_ranges_is_fetched_from_its_beginning(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    server.states_hashes = False
    server.put("owl/model/big.bin", DATA, cut_after=100_000, cuts=1, then=OTHER)
    assert await fetch(hub, tmp_path / "big.bin", Stated()) == hashlib.sha256(OTHER).hexdigest()


async def test_pieces_of_another_edition_are_found_by_the_hash_and_thrown_away(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    server.put("owl/model/big.bin", DATA)
    (tmp_path / "big.bin.part").write_bytes(OTHER[:200_000])
    assert await fetch(hub, tmp_path / "big.bin") == SHA256
    assert server.ranges("/cdn/") == ["bytes=200000-", ""]


async def test_more_than_there_is_of_the_file_is_thrown_away(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    server.states_hashes = False
    server.put("owl/model/big.bin", DATA)
    (tmp_path / "big.bin.part").write_bytes(DATA + b"more")
    assert await fetch(hub, tmp_path / "big.bin") == SHA256


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_hub_is_asked_again_when_it_said(
    server: HubServer, hub: Hub, tmp_path: Path, status: int
) -> None:
    server.put("owl/model/big.bin", DATA, refusals=[(status, "0"), (status, None)])
    assert await fetch(hub, tmp_path / "big.bin") == SHA256


async def test_who_has_to_wait_long_is_told_for_how_long_and_why(
    server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("owl/model/big.bin", DATA, refusals=[(429, "7"), (429, "7777"), (503, None)])
    slept, told, sleep = [], [], asyncio.sleep

    async def no_sleep(delay: float, *result: object) -> None:
        slept.append(delay)
        await sleep(0)

    async with open_hub(server.url, Patience(tries=5), told.append) as hub:
        stated = await hub.stated("owl/model", "main", "big.bin")
        monkeypatch.setattr("airos_edge.models.hub.asyncio.sleep", no_sleep)
        await fetch(hub, tmp_path / "big.bin", stated)
    assert [pause for pause in slept if pause] == [7, 300, 4]
    assert (
        "is busy or broken (HTTP 429), and asks to wait for 7 s; it is asked again in 7 s"
        in told[0]
    )


async def test_a_disk_that_is_full_is_a_sentence_and_what_came_is_kept(
    server: HubServer, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    server.put("owl/model/big.bin", DATA)
    with monkeypatch.context() as patch:
        patch.setattr("airos_edge.models.download.os.fsync", refuse)
        with pytest.raises(ModelError, match="cannot be written: No space left on device"):
            await fetch(hub, tmp_path / "big.bin")
    assert await fetch(hub, tmp_path / "big.bin") == SHA256
    assert len(server.ranges("/cdn/")) == 1


# ---- what is not taken -------------------------------------------------------------------------


async def test_a_hub_that_stays_busy_is_given_up(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    server.put("owl/model/big.bin", DATA, refusals=[(503, None)] * 9)
    with pytest.raises(ModelError, match=r"busy or broken \(HTTP 503\); given up for now"):
        await fetch(hub, tmp_path / "big.bin")


async def test_a_file_that_always_breaks_off_at_once_is_given_up_and_what_came_is_kept(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    server.put("owl/model/big.bin", DATA, cut_after=0, cuts=-1)
    (tmp_path / "big.bin.part").write_bytes(DATA[:1000])
    with pytest.raises(ModelError, match="broke off"):
        await fetch(hub, tmp_path / "big.bin")
    assert (tmp_path / "big.bin.part").read_bytes() == DATA[:1000]
    assert not (tmp_path / "big.bin").exists()


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ({"stated_sha256": "0" * 64}, f"has the SHA-256 {SHA256}, but the hub states 0000"),
        ({"stated_size": 299_999}, "has 300000 bytes, but the hub states 299999"),
        ({"page": b"<html>Please log in</html>"}, "is a web page, not a model"),
        ({"refusals": [(401, None)]}, "wants a login"),
    ],
)
async def test_what_is_not_as_stated_is_not_taken(
    server: HubServer, hub: Hub, tmp_path: Path, how: dict[str, object], complaint: str
) -> None:
    server.put("owl/model/big.bin", DATA, **how)
    with pytest.raises(ModelError, match=complaint):
        await fetch(hub, tmp_path / "big.bin")
    assert not (tmp_path / "big.bin").exists()


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:c5\nsize 9\n", "Git-LFS pointer"),
        (b"<!DOCTYPE html><title>502</title>", "is a web page"),
    ],
)
async def test_what_a_mirror_has_in_the_place_of_a_model_is_named_as_what_it_is(
    server: HubServer, hub: Hub, tmp_path: Path, data: bytes, complaint: str
) -> None:
    server.states_hashes = False
    server.put("owl/model/big.bin", data)
    with pytest.raises(ModelError, match=complaint):
        await fetch(hub, tmp_path / "big.bin")


async def test_a_file_that_is_not_there_is_said_to_be_missing(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"big.bin: there is no such file \(HTTP 404\)"):
        await fetch(hub, tmp_path / "big.bin")


async def test_nobody_at_the_address_is_a_sentence(tmp_path: Path) -> None:
    async with open_hub("http://127.0.0.1:9", QUICK) as hub:
        with pytest.raises(
            ModelError, match=r"cannot be reached .*; look whether this box is online; given up"
        ):
            await fetch(hub, tmp_path / "big.bin")


async def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ModelError, match=r"models.mirror: ftp://hub: wants http"):
        async with open_hub("ftp://hub"):
            pass


async def test_a_disk_that_refuses_is_a_sentence(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    server.put("owl/model/big.bin", DATA)
    (tmp_path / "in").touch()
    with pytest.raises(ModelError, match=r"in/big.bin: cannot be written: File exists"):
        await fetch(hub, tmp_path / "in" / "big.bin")


async def test_cancelling_leaves_what_has_come(server: HubServer, hub: Hub, tmp_path: Path) -> None:
    server.put("owl/model/big.bin", DATA, pace_s=0.02)
    come = asyncio.Event()

    def told(more: int) -> None:
        if more > 0:
            come.set()

    stated = await hub.stated("owl/model", "main", "big.bin")
    url = hub.url_of("owl/model", "main", "big.bin")
    work = asyncio.ensure_future(download(hub, url, tmp_path / "big.bin", stated, told))
    await come.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert 0 < (tmp_path / "big.bin.part").stat().st_size < len(DATA)
    assert await fetch(hub, tmp_path / "big.bin") == SHA256


@pytest.mark.parametrize(
    ("attempt", "asked_s", "pause_s"),
    [(2, None, 1), (3, None, 2), (5, None, 8), (2, 7, 7), (2, 999, 300)],
)
def test_a_pause_is_as_long_as_asked_for_within_a_bound_else_it_doubles(
    attempt: int, asked_s: float | None, pause_s: float
) -> None:
    assert Patience().before(attempt, asked_s) == pause_s

"""llama.cpp itself, with models of random weights: loading, text, calls, cancelling, and what is no model."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from airos_edge.engines.llm import LlmSettings, open_llm
from airos_edge.engines.llm_llama import Llama, file_of
from airos_edge.errors import EngineUnavailable
from airos_edge.health import State
from airos_edge.models.stored import StoredModel
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Call, Done, Prompt, Text
from tests.llama_model import write_model
from tests.router.test_router import Acts

pytestmark = pytest.mark.real_time

HELLO = Prompt((Item("item_1", role="user", text="hello there"),), instructions="Be brief.")


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("llama") / "tiny.gguf")


def opened(file: Path, **options: Any) -> Llama:
    told = {"max_tokens": 20, "threads": 1, "context_tokens": 2048} | options
    model = open_llm("small", LlmSettings("llama", model=str(file), **told))
    assert isinstance(model, Llama)
    return model


@pytest.fixture
async def model(model_file: Path) -> AsyncIterator[Llama]:
    async with aclosing(opened(model_file)) as model:
        yield model


async def all_of(model: Llama, prompt: Prompt = HELLO) -> list[Text | Call | Done]:
    async with aclosing(model.reply(prompt, Acts())) as parts:
        return [part async for part in parts]


class Reports:
    """What was reported, and when there is more."""

    def __init__(self) -> None:
        self.told: list[tuple[State, str]] = []
        self.ended = asyncio.Event()

    def __call__(self, state: State, why: str) -> None:
        self.told.append((state, why))
        if state != "starting":
            self.ended.set()


async def usual() -> Prompt:
    return Prompt(instructions="Be brief.")


async def test_text_comes_piece_by_piece_and_ends_with_what_it_took(model: Llama) -> None:
    *texts, done = await all_of(model)
    assert len(texts) > 2
    assert all(isinstance(part, Text) and part.text for part in texts)
    assert isinstance(done, Done)
    assert done.input_tokens
    assert done.output_tokens


async def test_it_is_loaded_beside_all_else_and_tells_how_it_goes(model: Llama) -> None:
    reports = Reports()
    model.begin(reports, usual)
    assert isinstance((await all_of(model))[-1], Done)
    await reports.ended.wait()
    assert [state for state, _ in reports.told] == ["starting", "ok"]


def test_a_model_is_found_by_its_name_among_those_for_llama(model_file: Path) -> None:
    stored = [
        StoredModel("qwen", "asr", "whisper", Path("/elsewhere")),
        StoredModel("qwen", "llm", "llama", model_file.parent),
    ]
    assert file_of("small", "qwen", stored) == model_file
    with pytest.raises(EngineUnavailable, match="there is no model 'llama' on this box"):
        file_of("small", "llama", stored)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git-LFS pointer"),
        (b"<!DOCTYPE html><html>", "HTML page"),
        (b"PK\3\4", r"begins with b'PK"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_model_is_named_as_what_it_is(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(content)
    with pytest.raises(EngineUnavailable, match=told):
        open_llm("small", LlmSettings("llama", model=str(file)))

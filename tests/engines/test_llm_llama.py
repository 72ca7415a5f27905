"""llama.cpp itself, with models of random weights: loading, text, calls, cancelling, and what is no model."""

import asyncio
import glob
import os
import shutil
import signal
import stat
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airos_edge.engines import llm_llama
from airos_edge.engines.llm import LlmSettings, open_llm
from airos_edge.engines.llm_llama import Llama
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.health import State
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


def pid_of(model: Llama) -> int:
    assert model.program.process
    return model.program.process.pid


async def usual() -> Prompt:
    return Prompt(instructions="Be brief.")


async def test_text_comes_piece_by_piece_and_ends_with_what_it_took(model: Llama) -> None:
    *texts, done = await all_of(model)
    assert len(texts) > 2
    assert all(isinstance(part, Text) and part.text for part in texts)
    assert isinstance(done, Done)
    assert done.input_tokens
    assert done.output_tokens


async def test_who_asks_while_it_answers_is_answered_next(model: Llama) -> None:
    ends = [parts[-1] for parts in await asyncio.gather(*(all_of(model) for _ in range(3)))]
    assert all(isinstance(end, Done) for end in ends)


async def test_it_is_loaded_beside_all_else_and_tells_how_it_goes(model: Llama) -> None:
    reports = Reports()
    model.begin(reports, usual)
    assert isinstance((await all_of(model))[-1], Done)
    await reports.ended.wait()
    assert [state for state, _ in reports.told] == ["starting", "ok"]


async def test_one_that_reads_less_than_is_thought_says_so(
    model_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with aclosing(opened(model_file, context_tokens=None)) as model:
        reports = Reports()
        model.begin(reports, usual)
        await reports.ended.wait()
    assert "it reads 2048 tokens, not 8192" in caplog.text
    assert "set llm.small.context_tokens to that" in caplog.text


@pytest.mark.parametrize("size", [300, 20_000, 60_000])
async def test_a_file_that_was_cut_says_so_and_is_tried_again_when_asked(
    model_file: Path, tmp_path: Path, size: int
) -> None:
    file = tmp_path / "cut.gguf"
    file.write_bytes(model_file.read_bytes()[:size])  # noqa: ASYNC240
    async with aclosing(opened(file)) as model:
        reports = Reports()
        model.begin(reports, usual)
        await reports.ended.wait()
        assert [state for state, _ in reports.told] == ["starting", "failed"]
        with pytest.raises(EngineError, match=r"small: cut\.gguf cannot be loaded: .{5}"):
            await all_of(model)
        shutil.copy(model_file, file)
        assert isinstance((await all_of(model))[-1], Done)


async def test_a_program_that_dies_is_a_sentence_and_comes_back(model_file: Path) -> None:
    async with aclosing(opened(model_file, max_tokens=2000)) as model:
        async with aclosing(model.reply(endless(), Acts())) as parts:
            await anext(parts)
            os.kill(pid_of(model), signal.SIGKILL)
            with pytest.raises(
                EngineError, match=r"small: tiny\.gguf has ended its program: signal 9"
            ):
                async for _ in parts:
                    pass
        assert isinstance((await all_of(model))[-1], Done)


async def test_closing_frees_its_memory_and_leaves_nothing_behind(model_file: Path) -> None:
    model = opened(model_file)
    await all_of(model)
    pid, folder = pid_of(model), model.program.folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    await model.aclose()
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_it_ends_when_the_box_has_gone_without_a_word(model: Llama) -> None:
    await all_of(model)
    process = model.program.process
    assert process
    assert process.stdin
    process.stdin.close()
    async with asyncio.timeout(5):
        assert await process.wait() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_nothing_of_it_listens_to_the_network(model: Llama) -> None:
    await all_of(model)
    proc = f"/proc/{pid_of(model)}"
    held = {os.readlink(link) for link in glob.glob(f"{proc}/fd/*")}
    tables = [Path(f"{proc}/net/{table}") for table in ("tcp", "tcp6", "udp", "udp6", "unix")]
    *internet, unix = [
        {f"socket:[{word}]" for word in table.read_text().split()}
        for table in tables
        if table.exists()
    ]
    assert held & unix
    for sockets in internet:
        assert not held & sockets


GPU = """
import json, sys
from airos_edge.engines import llama_program

def serve(wanted, serve=llama_program.serve):
    server = serve(wanted) if wanted.gpu_layers == 0 else None
    llama_program.say(gpus=["Fake 4090"])
    if server is None:
        print("0.00.001 E ggml_cuda_init: no memory for that", file=sys.stderr)
        sys.exit(1)
    return server

llama_program.serve = serve
llama_program.main()
"""


async def test_a_gpu_that_fails_is_a_line_of_the_log_and_the_cpu(
    model_file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(llm_llama, "PROGRAM", (sys.executable, "-c", GPU))
    async with aclosing(opened(model_file)) as model:
        assert isinstance((await all_of(model))[-1], Done)
    (warning,) = [one.message for one in caplog.records if one.levelname == "WARNING"]
    assert "no memory for that" in warning
    assert warning.endswith("going on without Fake 4090")


async def test_who_gives_up_waiting_leaves_it_loading(model: Llama) -> None:
    asking = asyncio.ensure_future(all_of(model))
    while model.program.process is None:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.001)
    pid = pid_of(model)
    asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled()
    assert isinstance((await all_of(model))[-1], Done)
    assert pid_of(model) == pid


def test_without_its_package_it_says_what_to_install(
    model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llm_llama, "locate", lambda part: None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'airos-edge\[llama\]'"):
        opened(model_file)


# ---- cancelling, and what is kept between questions ----------------------------------------------


def endless() -> Prompt:
    return replace(HELLO, instructions="Never end.", max_tokens=2000)


async def test_closing_stops_it_at_once_and_the_next_is_answered(model_file: Path) -> None:
    """The answer would be thousands of tokens; the next one waits for none of them."""
    async with aclosing(opened(model_file, max_tokens=2000)) as model:
        began = time.monotonic()
        await all_of(model, replace(endless(), max_tokens=200))
        whole_s = time.monotonic() - began
        for _ in range(5):
            async with aclosing(model.reply(endless(), Acts())) as parts:
                await anext(parts)
        began = time.monotonic()
        *_, done = await all_of(model, replace(endless(), max_tokens=1))
        assert time.monotonic() - began < whole_s
        assert isinstance(done, Done)


async def test_what_was_read_for_the_turn_before_is_not_read_again(model: Llama) -> None:
    first = replace(HELLO, instructions="You are the voice of a house. " * 20, max_tokens=5)
    *texts, done = await all_of(model, first)
    assert isinstance(done, Done)
    said = "".join(part.text for part in texts if isinstance(part, Text))
    answer = Item("item_2", role="assistant", text=said)
    again = Item("item_3", role="user", text="and then")
    *_, next_done = await all_of(model, replace(first, items=(*first.items, answer, again)))
    assert isinstance(next_done, Done)
    assert next_done.cached_tokens >= done.input_tokens - 1
    assert next_done.input_tokens - next_done.cached_tokens < 60


async def test_the_first_question_finds_its_instructions_read(model: Llama) -> None:
    reports, long = Reports(), Prompt(instructions="You are the voice of a house. " * 20)

    async def usual() -> Prompt:
        return long

    model.begin(reports, usual)
    await reports.ended.wait()
    *_, done = await all_of(model, replace(long, items=HELLO.items))
    assert isinstance(done, Done)
    assert done.input_tokens - done.cached_tokens < 40


async def test_more_than_it_can_read_is_refused_in_a_sentence(model: Llama) -> None:
    long = replace(HELLO, instructions="ba " * 4000)
    with pytest.raises(EngineError, match=r"refuses the question .*context size"):
        await all_of(model, long)


async def test_hundreds_of_questions_take_no_more_memory_than_a_few(model: Llama) -> None:
    prompts = [
        replace(HELLO, instructions=f"{number % 7} times", max_tokens=2) for number in range(500)
    ]
    for prompt in prompts[:100]:
        await all_of(model, prompt)
    before = resident_kib(pid_of(model)), resident_kib(os.getpid())
    for prompt in prompts[100:]:
        await all_of(model, prompt)
    after = resident_kib(pid_of(model)), resident_kib(os.getpid())
    assert after[0] - before[0] < 4096
    assert after[1] - before[1] < 4096


def resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


# ---- calls ---------------------------------------------------------------------------------------

SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {}},
    {
        "type": "object",
        "properties": {
            "room": {"type": "string", "enum": ["kitchen", 'a "quoted" \\ one', "Küche\n"]},
            "level": {"type": "integer", "minimum": -3, "maximum": 100},
        },
        "required": ["room", "level"],
    },
    {
        "type": "object",
        "properties": {
            "where": {
                "type": "object",
                "properties": {"x": {"type": "boolean"}, "y": {"type": "null"}},
                "required": ["x"],
                "additionalProperties": False,
            },
            "tags": {"type": "array", "items": {"enum": [1, "two"]}, "minItems": 1, "maxItems": 3},
        },
        "required": ["where", "tags"],
    },
    {
        "type": "object",
        "properties": {
            "level": {"$ref": "#/$defs/level"},
            "note": {"type": "string", "maxLength": 9},
        },
        "required": ["level"],
        "$defs": {"level": {"type": "integer", "minimum": 10, "maximum": 12}},
    },
    {
        "type": "object",
        "properties": {"how": {"anyOf": [{"const": "off"}, {"type": "integer", "minimum": 1}]}},
        "required": ["how"],
    },
]


def tools() -> tuple[dict[str, Any], ...]:
    named = [(f"tool_{place}", schema) for place, schema in enumerate(SCHEMAS)]
    return tuple({"type": "function", "name": n, "parameters": s} for n, s in named)


def fits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """JSON Schema, as far as `SCHEMAS` use it."""
    if "$ref" in schema:
        return fits(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return any(fits(value, one, root) for one in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        allowed = schema.get("enum", [schema.get("const")])
        return any(value == one and type(value) is type(one) for one in allowed)
    match schema["type"]:
        case "object":
            known = schema["properties"]
            return (
                isinstance(value, dict)
                and set(schema.get("required", ())) <= value.keys() <= known.keys()
                and all(fits(one, known[key], root) for key, one in value.items())
            )
        case "array":
            return (
                isinstance(value, list)
                and schema["minItems"] <= len(value) <= schema["maxItems"]
                and all(fits(one, schema["items"], root) for one in value)
            )
        case "integer":
            return type(value) is int and schema["minimum"] <= value <= schema.get(
                "maximum", float("inf")
            )
        case "string":
            return isinstance(value, str) and len(value) <= schema["maxLength"]
        case "boolean":
            return isinstance(value, bool)
    return value is None


@pytest.fixture(scope="session")
def caller_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It begins calls, and ends what it begins."""
    liking = {"<tool_call>": 4.0, '"': 4.0, "}": 4.0, "]": 2.0, "</s>": -50.0, "<think>": -50.0}
    return write_model(tmp_path_factory.mktemp("llama") / "caller.gguf", liking)


@pytest.mark.parametrize("choice", ["required", *(f"tool_{n}" for n in range(len(SCHEMAS)))])
async def test_a_call_that_has_to_be_made_fits_its_schema(caller_file: Path, choice: str) -> None:
    """Whatever it would rather write."""
    wanted: Any = choice if choice == "required" else {"type": "function", "name": choice}
    async with aclosing(opened(caller_file, max_tokens=600)) as model:
        for number in range(3):
            told = f"Try {number}."
            prompt = replace(HELLO, tools=tools(), tool_choice=wanted, instructions=told)
            call, done = await all_of(model, prompt)
            assert isinstance(call, Call)
            assert isinstance(done, Done)
            assert call.name == choice or choice == "required"
            schema = SCHEMAS[int(call.name.removeprefix("tool_"))]
            assert fits(dict(call.arguments), schema, schema), (call.arguments, schema)


async def test_a_call_that_it_begins_by_itself_fits_its_schema(caller_file: Path) -> None:
    calls = 0
    async with aclosing(opened(caller_file, max_tokens=600)) as model:
        for number in range(6):
            prompt = replace(HELLO, tools=tools(), instructions=f"Try {number}.")
            for part in await all_of(model, prompt):
                if isinstance(part, Call):
                    schema = SCHEMAS[int(part.name.removeprefix("tool_"))]
                    assert fits(dict(part.arguments), schema, schema), (part.arguments, schema)
                    calls += 1
    assert calls > 2


@pytest.mark.parametrize("choice", ["auto", "required"])
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"type": "object", "properties": {"x": {"$ref": "#/$defs/gone"}}}, "gone"),
        ({"type": "object", "properties": {"x": True}}, "must be an object"),
        ({"type": "object", "properties": {"x": {"enum": []}}}, "non-empty"),
    ],
)
async def test_a_tool_that_llama_cannot_use_is_left_out_and_named_once(
    caller_file: Path, caplog: pytest.LogCaptureFixture, bad: dict[str, Any], choice: str, why: str
) -> None:
    odd = {"type": "function", "name": "odd", "parameters": bad}
    prompt = replace(HELLO, tools=(odd, *tools()), tool_choice=choice)
    async with aclosing(opened(caller_file, max_tokens=600)) as model:
        for _ in range(2):
            parts = await all_of(model, prompt)
            assert isinstance(parts[-1], Done)
            calls = [part for part in parts if isinstance(part, Call)]
            assert calls or choice == "auto"
            assert all(call.name.startswith("tool_") for call in calls)
    (warning,) = [one.message for one in caplog.records if one.levelname == "WARNING"]
    assert warning.startswith("llm small: goes on without the tool odd: ")
    assert why in warning


async def test_a_call_that_is_cut_is_not_made(caller_file: Path) -> None:
    prompt = replace(HELLO, tools=tools(), tool_choice="required", max_tokens=5)
    async with aclosing(opened(caller_file)) as model:
        assert [part.why for part in await all_of(model, prompt) if isinstance(part, Done)] == [
            "max_tokens"
        ]
        assert len(await all_of(model, prompt)) == 1


async def test_thoughts_are_nobodys_to_hear(tmp_path: Path) -> None:
    liking = {"<think>": 60.0, "</think>": 0.0}
    file = write_model(tmp_path / "thinker.gguf", liking)
    async with aclosing(opened(file, max_tokens=8)) as model:
        (done,) = await all_of(model)
        assert isinstance(done, Done)
        assert done.why == "max_tokens"

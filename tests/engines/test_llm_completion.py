"""One completion, in either dialect: its text, its calls, its end, and what is no end."""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import pytest

from airos_edge.engines import llm_anthropic, llm_openai
from airos_edge.engines import llm_completion as module
from airos_edge.engines.llm import LlmSettings
from airos_edge.errors import EngineError
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Call, Done, Place, Prompt, Text
from tests.model_server import (
    BEGIN,
    DONE,
    Raw,
    Step,
    block,
    block_delta,
    calls,
    claude_calls,
    claude_says,
    delta,
    model_server,
    says,
    words,
)

pytestmark = pytest.mark.real_time

PROMPT = Prompt((Item("item_1", role="user", text="hello"),))
OPENERS: dict[str, Any] = {"openai": llm_openai.open_llm, "anthropic": llm_anthropic.open_llm}


class NoActs:
    """A model acts by its calls only."""

    async def __call__(self, call: Call) -> str:
        raise AssertionError

    async def committed(self) -> None:
        raise AssertionError

    def goes(self, place: Place) -> None:
        raise AssertionError


async def completed(
    engine: str, steps: Sequence[Step], prompt: Prompt = PROMPT, **settings: Any
) -> tuple[list[Text | Call | Done], dict[str, Any]]:
    """What the model gave, and the request."""
    with model_server(steps) as server:
        options = LlmSettings(**{"model": "tiny", **settings})
        model = OPENERS[engine]("fast", server.url, Place.LOCAL, options)
        async with aclosing(model), aclosing(model.reply(prompt, NoActs())) as parts:
            return [part async for part in parts], server.requests[0]


def text_of(parts: Sequence[Text | Call | Done]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))


both = pytest.mark.parametrize("engine", ["openai", "anthropic"])


@pytest.mark.parametrize(
    ("engine", "steps"),
    [("openai", says("Hi", " there", ".")), ("anthropic", claude_says("Hi", " there", "."))],
)
async def test_text_comes_in_pieces_and_the_end_tells_the_tokens(
    engine: str, steps: list[Step]
) -> None:
    parts, _ = await completed(engine, steps)
    assert parts == [
        *(Text("Hi"), Text(" there"), Text(".")),
        Done("fast", "stop", input_tokens=7, output_tokens=3),
    ]


@pytest.mark.parametrize(
    ("engine", "steps"),
    [
        ("openai", calls("lamp", '{"o', 'n": true, "n": ', "3}")),
        ("anthropic", claude_calls("lamp", '{"o', 'n": true, "n": ', "3}")),
    ],
)
async def test_a_call_is_put_together_from_its_pieces(engine: str, steps: list[Step]) -> None:
    parts, _ = await completed(engine, steps)
    assert parts[0] == Call("lamp", {"on": True, "n": 3}, "call_1")
    assert isinstance(parts[1], Done)


@pytest.mark.parametrize(
    ("engine", "steps"), [("openai", calls("lamp")), ("anthropic", claude_calls("lamp", ""))]
)
async def test_a_call_without_arguments_has_none(engine: str, steps: list[Step]) -> None:
    parts, _ = await completed(engine, steps)
    assert parts[0] == Call("lamp", {}, "call_1")


async def test_calls_that_share_a_place_are_told_apart_by_their_ids() -> None:
    first, second = calls("lamp", '{"n": 1}'), calls("fan", '{"n"', ": 2}", call_id="call_2")
    parts, _ = await completed("openai", [*first[:-2], *second])
    assert parts[:-1] == [Call("lamp", {"n": 1}, "call_1"), Call("fan", {"n": 2}, "call_2")]


@pytest.mark.parametrize("arguments", ['{"on": tru', "[1]", '"on"'])
@both
async def test_arguments_that_are_no_object_are_an_error(engine: str, arguments: str) -> None:
    steps = calls("lamp", arguments) if engine == "openai" else claude_calls("lamp", arguments)
    with pytest.raises(EngineError, match="calls lamp with what is no JSON object"):
        await completed(engine, steps)


@pytest.mark.parametrize(
    ("engine", "steps"),
    [
        ("openai", says("Once", why="length")),
        ("openai", [*calls("lamp", '{"on": tr')[:2], delta("length"), DONE]),
        ("anthropic", claude_says("Once", why="max_tokens")),
    ],
)
async def test_an_answer_that_was_cut_by_its_limit_says_so(engine: str, steps: list[Step]) -> None:
    parts, _ = await completed(engine, steps)
    assert isinstance(parts[-1], Done)
    assert parts[-1].why == "max_tokens"
    assert not [part for part in parts if isinstance(part, Call)]


@both
async def test_an_endless_answer_is_cut(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_ANSWER", 1000)
    endless = "and so on " * 20
    steps = words(*[endless] * 50) if engine == "openai" else claude_says(*[endless] * 50)
    parts, _ = await completed(engine, steps)
    assert 1000 < len(text_of(parts)) <= 1000 + len(endless)
    assert parts[-1] == Done("fast", "max_tokens", input_tokens=7 * (engine == "anthropic"))


@pytest.mark.parametrize(
    ("engine", "steps"), [("openai", words("Once")), ("anthropic", claude_says("Once")[:4])]
)
async def test_a_stream_that_ends_without_an_end_is_an_error(
    engine: str, steps: list[Step]
) -> None:
    with pytest.raises(EngineError, match="broke off in the middle"):
        await completed(engine, steps)


@pytest.mark.parametrize(
    ("engine", "step", "told"),
    [
        ("openai", {"error": {"message": "out of memory", "code": 500}}, "out of memory"),
        ("openai", {"error": "out of memory"}, "out of memory"),
        ("openai", {"choices": "?"}, "no known form"),
        ("openai", {"choices": [{"delta": "?"}]}, "no known form"),
        ("openai", Raw(b"data: [1]\n\n"), "no known form"),
        ("anthropic", {"type": "error", "error": {"message": "Overloaded"}}, "Overloaded"),
        ("anthropic", {"choices": []}, "no known form"),
        ("anthropic", {"type": "content_block_delta", "index": 0}, "no known form"),
    ],
)
async def test_an_error_in_the_middle_of_a_stream_is_told(
    engine: str, step: Step, told: str
) -> None:
    with pytest.raises(EngineError, match=told):
        await completed(engine, [step, *says("never")])


async def test_a_refusal_is_an_error_and_thinking_is_not_said() -> None:
    with pytest.raises(EngineError, match="refuses to answer"):
        await completed("anthropic", claude_says(why="refusal"))
    thinking = [block(0, type="thinking"), block_delta(0, "thinking_delta", thinking="hm")]
    parts, _ = await completed("anthropic", [BEGIN, *thinking, *claude_says("Yes.")[1:]])
    assert text_of(parts) == "Yes."
    parts, _ = await completed("openai", [delta(reasoning_content="hm"), *says("Yes.")])
    assert text_of(parts) == "Yes."


@pytest.mark.parametrize(
    "pieces",
    [
        ("<think>", "hm", "</think>", "Yes <think>."),
        ("\n", "<think>", "hm", "</think>", "\n\n", "Yes <think>."),
        ("<think>\nhm, ", "yes.</thi", "nk>Yes ", "<think>."),
    ],
)
async def test_thoughts_that_are_left_in_the_text_are_not_said(pieces: tuple[str, ...]) -> None:
    parts, _ = await completed("openai", says(*pieces))
    assert text_of(parts) == "Yes <think>."


@both
async def test_the_shorter_limit_of_the_two_holds(engine: str) -> None:
    steps = says("Hi") if engine == "openai" else claude_says("Hi")
    for wanted, limit in ((None, 50), (20, 20), (99, 50)):
        prompt = Prompt(PROMPT.items, max_tokens=wanted)
        _, request = await completed(engine, steps, prompt, max_tokens=50, temperature=0.5)
        assert (request["max_tokens"], request["temperature"]) == (limit, 0.5)

"""Text to an answer: streamed, remembered for a while, and only what is safe."""

import asyncio
from typing import Any

import pytest
from wyoming.asr import Transcript

from airos_edge.voice.ports import Done, Prompt, Text
from airos_edge.wyoming.handle import KEPT_S, LONGEST_TEXT, MOST_ITEMS, MOST_KEPT
from tests.fakes import FakeResponder, Fault, Step
from tests.wyoming.box import FakeBox, Peer, talking

IN_TALK = {"conversation_id": "talk"}


def answers(*steps: Step) -> FakeBox:
    return FakeBox(responder=FakeResponder(lambda prompt: steps))


async def ask(peer: Peer, text: str, context: dict[str, Any] | None = None) -> str:
    await peer.send(Transcript(text, context=context))
    events = await peer.until("handled-stop", "not-handled")
    (whole,) = [
        event.data["text"]
        for event in events
        if event.type != "handled-chunk" and "text" in event.data
    ]
    return str(whole)


async def test_an_answer_is_streamed_and_told_whole() -> None:
    async with talking(answers(Text("It is "), 100, Text("noon."), Done("fast"))) as peer:
        await peer.send(Transcript("what time is it", context=IN_TALK))
        events = [(event.type, event.data) for event in await peer.until("handled-stop")]
        assert events == [
            ("handled-start", {"context": IN_TALK}),
            ("handled-chunk", {"text": "It is "}),
            ("handled-chunk", {"text": "noon."}),
            ("handled", {"text": "It is noon.", "context": IN_TALK}),
            ("handled-stop", {}),
        ]


async def test_a_no_is_told_as_one() -> None:
    async with talking(answers(Text("I only know this."), Done("fast", declined=True))) as peer:
        await peer.send(Transcript("what is love"))
        (event,) = await peer.until("not-handled")
        assert event.data == {"text": "I only know this."}


async def test_an_answer_without_words_is_handled() -> None:
    async with talking(answers(Done("fast"))) as peer:
        assert await ask(peer, "stop") == ""


async def test_an_answer_that_fails_is_an_error() -> None:
    async with talking(answers(Text("Well"), Fault.RAISE)) as peer:
        await peer.send(Transcript("what is love"))
        *_, error = await peer.until("error")
        assert error.data == {"text": "fake_responder: broke", "code": "failed"}


@pytest.mark.parametrize(("handle", "safe_only"), [("safe", True), ("all", False)])
async def test_only_what_is_safe_is_done_unless_all_is_allowed(
    handle: str, safe_only: bool
) -> None:
    box = answers(Done("fast"))
    async with talking(box, handle=handle) as peer:
        await ask(peer, "lights off")
    (prompt,) = prompts(box)
    assert (prompt.safe_only, prompt.speaking, prompt.question) == (safe_only, None, "lights off")


def prompts(box: FakeBox) -> list[Prompt]:
    assert isinstance(box.engines.responder, FakeResponder)
    return box.engines.responder.prompts


def said(prompt: Prompt) -> list[str | None]:
    return [item.text for item in prompt.items]


async def test_a_conversation_goes_on_for_some_minutes() -> None:
    box = answers(Text("Yes."), Done("fast"))
    async with talking(box) as peer:
        await ask(peer, "one", IN_TALK)
        await ask(peer, "other", {"conversation_id": "another"})
        await ask(peer, "nobody's")
        await asyncio.sleep(60)
        await ask(peer, "two", IN_TALK)
        await asyncio.sleep(60)
        # An idle connection would have been closed by the time that it is forgotten.
        for _ in range(round(KEPT_S / 60)):
            await peer.send(b'{"type": "ping"}\n')
            await peer.until("pong")
            await asyncio.sleep(60)
        await ask(peer, "three", IN_TALK)
    assert [said(prompt) for prompt in prompts(box)] == [
        ["one"],
        ["other"],
        ["nobody's"],
        ["one", "Yes.", "two"],
        ["three"],
    ]


async def test_what_is_remembered_has_a_limit() -> None:
    box = answers(Text("Yes."), Done("fast"))
    async with talking(box) as peer:
        for number in range(MOST_ITEMS):
            await ask(peer, str(number), IN_TALK)
        assert len(prompts(box)[-1].items) == MOST_ITEMS + 1
        for number in range(MOST_KEPT):
            await ask(peer, "hello", {"conversation_id": str(number)})
        await ask(peer, "again", IN_TALK)
        assert said(prompts(box)[-1]) == ["again"]


@pytest.mark.parametrize(
    "asked",
    [
        Transcript("x" * (LONGEST_TEXT + 1)),
        Transcript("hello", context={"conversation_id": 5}),
        Transcript(5),  # type: ignore[arg-type]
    ],
)
async def test_what_is_no_question_is_refused(asked: Transcript) -> None:
    async with talking(FakeBox()) as peer:
        await peer.send(asked)
        assert (await peer.until("error"))[0].data["code"] == "protocol"

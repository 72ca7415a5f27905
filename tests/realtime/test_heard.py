"""The history says what was heard, to the word: shown by what the next question is asked with."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from airos_edge.voice.ports import Call, Done, Prompt, Text
from tests.fakes import Do, FakeAsr, FakeResponder, FakeTts, Fault, Step
from tests.realtime.client import Client, Json

LONG = "One two three four five six seven eight nine ten."
"""2450 ms of speech: "One " ends at 200, "two " at 400, "three " at 700, "four " at 950, "five " at 1200."""


def speaker(*steps: Step) -> FakeResponder:
    """Says it once, and then a word."""

    def script(prompt: Prompt) -> Iterable[Step]:
        is_first = not any(item.role == "assistant" for item in prompt.items)
        return (
            [*(steps or [Text(LONG)]), Done("fake")] if is_first else [Text("Yes."), Done("fake")]
        )

    return FakeResponder(script)


async def begin(client: Client) -> Json:
    """Asks by text; gives the first sound of the answer."""
    client.add("count", id="question")
    client.send("response.create")
    return await client.until("response.output_audio.delta")


async def shown(client: Client) -> list[str | None]:
    """What the box has said, as far as a model that is asked now is told of it."""
    if client.session.replies.active is not None:
        await client.session.replies.active.ended.wait()
    client.send("response.create", response={"output_modalities": ["text"]})
    ended = len(client.of("response.done"))
    await client.until("response.done", ended + 1)
    prompt = client.lease.engines.responder.prompts[-1]  # type: ignore[attr-defined]
    return [item.text for item in prompt.items if item.role == "assistant"]


def truncate(client: Client, item_id: str, ms: int) -> Json:
    fields = {"item_id": item_id, "content_index": 0, "audio_end_ms": ms}
    return client.send("conversation.item.truncate", **fields)


async def test_talked_over() -> None:
    async with Client(asr=FakeAsr("stop it"), responder=speaker()) as client:
        await begin(client)
        await asyncio.sleep(0.5)
        await client.ask()
        cancelled = (await client.until("response.done"))["response"]
        assert cancelled["status_details"]["reason"] == "turn_detected"
        await client.until("response.done", 2)
        prompt = client.lease.engines.responder.prompts[-1]  # type: ignore[attr-defined]
        assert [item.text for item in prompt.items] == ["count", "One two", "stop it"]


@pytest.mark.parametrize(
    ("after_s", "left"),
    [(0.1, ""), (0.21, "One"), (0.62, "One two"), (0.71, "One two three")],
)
async def test_cancelled(after_s: float, left: str) -> None:
    async with Client(responder=speaker()) as client:
        await begin(client)
        await asyncio.sleep(after_s)
        client.send("response.cancel")
        assert await shown(client) == [left]


@pytest.mark.parametrize(
    ("ms", "acknowledged", "left"),
    [
        (0, 0, ""),
        (250, 250, "One"),
        (620, 620, "One two"),
        (960, 960, "One two three four"),
        (60_000, 2050, "One two three four five six seven eight"),
    ],
)
async def test_who_played_it_knows_better_than_who_sent_it(
    ms: int, acknowledged: int, left: str
) -> None:
    async with Client(responder=speaker()) as client:
        item_id = (await begin(client))["item_id"]
        await asyncio.sleep(0.72)
        client.send("response.cancel")
        told = truncate(client, item_id, ms)
        assert told["type"] == "conversation.item.truncated"
        assert told["audio_end_ms"] == pytest.approx(acknowledged, abs=250 if ms > 2000 else 0)
        text = (await shown(client))[0] or ""
        assert text == left or (
            ms > 2000 and LONG.startswith(text) and len(text) > len("One two three four")
        )


async def test_what_was_cut_does_not_come_back() -> None:
    async with Client(responder=speaker()) as client:
        item_id = (await begin(client))["item_id"]
        await client.until("response.done")
        truncate(client, item_id, 420)
        truncate(client, item_id, 960)
        assert await shown(client) == ["One two"]


@pytest.mark.parametrize(("ms", "left"), [(0, ""), (420, "One two")])
async def test_truncated_while_it_is_spoken_nothing_more_of_it_is_sent(ms: int, left: str) -> None:
    async with Client(responder=speaker()) as client:
        item_id = (await begin(client))["item_id"]
        await asyncio.sleep(0.72)
        truncate(client, item_id, ms)
        at = len(client.events)
        done = (await client.until("response.done"))["response"]
        assert done["status"] == "completed"
        later = {event["type"] for event in client.events[at:]}
        assert not [kind for kind in later if kind.endswith(".delta")]
        assert await shown(client) == [left]


async def test_and_a_cancel_after_it_finds_a_response_to_cancel() -> None:
    async with Client(responder=speaker(Text(LONG), 5000, Text(" Eleven."))) as client:
        item_id = (await begin(client))["item_id"]
        await asyncio.sleep(0.72)
        truncate(client, item_id, 420)
        client.send("response.cancel")
        done = (await client.until("response.done"))["response"]
        assert done["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
        assert not client.of("error")
        assert await shown(client) == ["One two"]


async def test_deleted_while_it_is_spoken_it_was_never_said() -> None:
    async with Client(responder=speaker()) as client:
        item_id = (await begin(client))["item_id"]
        await asyncio.sleep(0.72)
        client.send("conversation.item.delete", item_id=item_id)
        at = len(client.events)
        await client.until("response.done")
        assert not [event for event in client.events[at:] if event["type"].endswith(".delta")]
        assert await shown(client) == []


async def test_the_end_of_the_session_is_an_interruption_too() -> None:
    async with Client(responder=speaker()) as client:
        await begin(client)
        await asyncio.sleep(0.72)
    assert [item.text for item in client.session.history] == ["count", "One two three"]


async def test_an_answer_of_which_no_word_was_heard_leaves_the_question_open() -> None:
    async with Client(responder=speaker(Text("Noon."))) as client:
        await begin(client)
        client.send("response.cancel")
        assert await shown(client) == [""]
        prompt = client.lease.engines.responder.prompts[-1]  # type: ignore[attr-defined]
        assert prompt.question == "count"


async def test_interrupted_in_a_gap_between_two_sentences() -> None:
    steps = [Text("One two three. "), 3000, Text("Four five six.")]
    async with Client(responder=speaker(*steps)) as client:
        await begin(client)
        await asyncio.sleep(1.5)
        client.send("response.cancel")
        assert await shown(client) == ["One two three."]


async def test_interrupted_in_the_second_answer_the_first_is_whole() -> None:
    async with Client(responder=FakeResponder(lambda _: [Text(LONG), Done("fake")])) as client:
        await begin(client)
        await client.until("response.done")
        client.add("again")
        client.send("response.create")
        await client.until("response.output_item.added", 2)
        await asyncio.sleep(0.45)
        client.send("response.cancel")
        await client.until("response.done", 2)
        assert await shown(client) == [LONG, "One two"]


async def test_interrupted_in_a_round_of_tools_what_was_said_before_it_was_heard() -> None:
    steps = [Text("One moment please.\n"), Do(Call("slow")), Text("Done it all.")]
    async with Client(responder=speaker(*steps)) as client:
        client.lease.engines.tools._takes_ms = 3000  # type: ignore[attr-defined]
        await begin(client)
        await asyncio.sleep(0.42)
        client.send("response.cancel")
        assert await shown(client) == ["One"]


async def test_a_client_that_plays_late_says_so_after_the_end_and_another_question() -> None:
    async with Client(asr=FakeAsr("wait"), responder=speaker()) as client:
        item_id = (await begin(client))["item_id"]
        await client.until("response.done")
        client.add("and then?")
        truncate(client, item_id, 960)
        assert await shown(client) == ["One two three four"]


async def test_a_voice_that_breaks_off_has_said_what_was_heard() -> None:
    tts = FakeTts(fault=Fault.RAISE, after_words=3)
    async with Client(responder=speaker(), tts=tts) as client:
        await begin(client)
        done = (await client.until("response.done"))["response"]
        assert done["status"] == "failed"
        text = (await shown(client))[0]
        assert "One two three".startswith(text or "x")


async def test_written_words_were_read_when_they_were_sent() -> None:
    steps: list[Any] = [Text("One two. "), 1000, Text("Three.")]
    async with Client(responder=speaker(*steps)) as client:
        client.configure(output_modalities=["text"])
        client.add("count")
        client.send("response.create")
        await client.until("response.output_text.delta")
        client.send("response.cancel")
        assert await shown(client) == ["One two. "]

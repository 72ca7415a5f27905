"""Text to speech: whole, or as it is written."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable

import pytest
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeVoice,
)

from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ports import Speaking, Speech
from airos_edge.wyoming.tts import LONGEST_TEXT
from tests.fakes import FakeTts
from tests.wyoming.box import FakeBox, talking


async def test_a_text_is_said_in_one_format() -> None:
    async with talking(FakeBox()) as peer:
        await peer.send(Synthesize("hello you"))
        start, *chunks, stop = await peer.until("audio-stop")
        wanted = {"rate": 16000, "width": 2, "channels": 1}
        assert start.data == {**wanted, "timestamp": 0}
        assert [chunk.data["timestamp"] for chunk in chunks] == [0, 300]
        assert all({**chunk.data, **wanted} == chunk.data for chunk in chunks)
        assert stop.data == {"timestamp": 450}


async def test_a_streamed_text_is_said_while_it_is_written_and_not_twice() -> None:
    tts = FakeTts()
    async with talking(FakeBox(tts=tts)) as peer:
        await peer.send(SynthesizeStart(), SynthesizeChunk("hello "))
        await peer.until("audio-chunk")
        await peer.send(SynthesizeChunk("you"), Synthesize("hello you"), SynthesizeStop())
        *_, stop, stopped = await peer.until("synthesize-stopped")
        assert (stop.type, stop.data, stopped.type) == (
            *("audio-stop", {"timestamp": 450}, "synthesize-stopped"),
        )
    assert tts.sentences == ["hello ", "you"]


async def test_two_texts_are_said_one_after_the_other() -> None:
    async with talking(FakeBox(tts=FakeTts(takes_ms=100))) as peer:
        await peer.send(Synthesize("one"), Synthesize("two"))
        for _ in range(2):
            kinds = [event.type for event in await peer.until("audio-stop")]
            assert kinds == ["audio-start", "audio-chunk", "audio-stop"]


async def test_nothing_to_say_is_an_answer_without_sound() -> None:
    async with talking(FakeBox()) as peer:
        await peer.send(SynthesizeStart(), SynthesizeStop())
        kinds = [event.type for event in await peer.until("synthesize-stopped")]
        assert kinds == ["audio-start", "audio-stop", "synthesize-stopped"]


@pytest.mark.parametrize(
    ("voice", "how"),
    [
        (None, Speaking(None, "en")),
        (SynthesizeVoice(name="usual"), Speaking(None, "en")),
        (SynthesizeVoice(name="other"), Speaking("other", "en")),
        (SynthesizeVoice(language="de"), Speaking(None, "de")),
    ],
)
async def test_the_voice_that_is_asked_for_speaks(
    voice: SynthesizeVoice | None, how: Speaking
) -> None:
    box = FakeBox()
    async with talking(box) as peer:
        await peer.send(Synthesize("hello", voice=voice))
        await peer.until("audio-stop")
    assert box.said == [how]


@pytest.mark.parametrize(
    "asked",
    [
        Synthesize("<speak/>", text_format="ssml"),
        Synthesize("x" * (LONGEST_TEXT + 1)),
        Synthesize("hello", voice=SynthesizeVoice(name=5)),  # type: ignore[arg-type]
    ],
)
async def test_what_cannot_be_said_is_refused(asked: Synthesize) -> None:
    async with talking(FakeBox()) as peer:
        await peer.send(asked)
        assert (await peer.until("error"))[0].data["code"] == "protocol"


async def test_text_that_is_written_faster_than_it_is_said_has_a_limit() -> None:
    async with talking(FakeBox(tts=FakeTts(takes_ms=10_000))) as peer:
        await peer.send(SynthesizeStart())
        await peer.send(*[SynthesizeChunk("x" * 1000)] * (LONGEST_TEXT // 1000 + 2))
        assert "wait to be said" in (await peer.until("error"))[0].data["text"]


class TwoRates(FakeBox):
    def speak(self, texts: AsyncIterable[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        async def made() -> AsyncGenerator[Speech, None]:
            for rate_hz in (22050, 16000):
                await asyncio.sleep(0)
                yield Speech(AudioChunk(bytes(2 * rate_hz), rate_hz))

        return made()


async def test_an_answer_keeps_the_rate_it_began_with() -> None:
    async with talking(TwoRates()) as peer:
        await peer.send(Synthesize("hello"))
        events = await peer.until("audio-stop")
        assert {event.data["rate"] for event in events[:-1]} == {22050}
        assert events[-1].data["timestamp"] == 2000

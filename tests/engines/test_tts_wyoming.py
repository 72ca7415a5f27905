"""A voice elsewhere."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from wyoming.audio import AudioChunk as Chunk
from wyoming.audio import AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event

from airos_edge.engines.tts_wyoming import WyomingTts
from airos_edge.errors import EngineError
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Place, Speaking, Speech
from tests.wyoming.far_side import FarSide, far_side

pytestmark = pytest.mark.real_time

USUAL = Speaking()
SOUND = b"\x01\x00\x02\x00"


async def stereo(far: FarSide, event: Event) -> bool:
    """The first sentence at 22050 Hz, the others at 44100."""
    rate = 22050 if len(far.received) == 1 else 44100
    await far.say(AudioStart(rate, 2, 2))
    for _ in range(2):
        await far.say(Chunk(rate, 2, 2, b"\x01\x00\x03\x00" * 4410))
    await far.say(AudioStop())
    return True


async def texts(*sentences: str) -> AsyncIterator[str]:
    for sentence in sentences:
        yield sentence


async def spoken(
    uri: str, *sentences: str, voice: str | None = None, how: Speaking = USUAL
) -> list[Speech]:
    tts = WyomingTts(uri, Place.LOCAL, voice)
    async with aclosing(tts.speak(texts(*sentences), how)) as speech:
        return [piece async for piece in speech]


async def test_each_sentence_is_asked_for_and_all_is_in_the_rate_of_the_first() -> None:
    async with far_side(stereo) as far:
        speech = await spoken(far.uri, "Hello there. ", "You.")
        assert [event.data["text"] for event in far.received] == ["Hello there.", "You."]
        assert "".join(piece.text for piece in speech) == "Hello there. You."
        assert {piece.chunk.rate_hz for piece in speech} == {22050}
        assert [round(piece.chunk.ms) for piece in speech] == [200, 200, 100, 100]
        assert speech[0].chunk.pcm[:2] == b"\x02\x00"
        await far.left_alone()


@pytest.mark.parametrize(
    ("voice", "how", "asked"),
    [
        (None, Speaking(language="de"), {"language": "de"}),
        ("amy", Speaking(language="de"), {"name": "amy"}),
        ("amy", Speaking(voice="joe"), {"name": "joe"}),
    ],
)
async def test_the_voice_is_asked_for(
    voice: str | None, how: Speaking, asked: dict[str, str]
) -> None:
    async with far_side(stereo) as far:
        await spoken(far.uri, "Hello.", voice=voice, how=how)
        assert far.received[0].data["voice"] == asked


async def test_a_sentence_without_sound_is_said_with_the_next() -> None:
    async def silent_once(far: FarSide, event: Event) -> bool:
        if event.data["text"] == "-":
            await far.say(AudioStart(22050, 2, 1), AudioStop())
            return True
        return await stereo(far, event)

    async with far_side(silent_once) as far:
        speech = await spoken(far.uri, "- ", "Hello. ", "-")
        assert [piece.text for piece in speech if piece.text] == ["- Hello. ", "-"]


async def test_cancelling_closes_the_connection() -> None:
    async def never(far: FarSide, event: Event) -> bool:
        await far.say(AudioStart(22050, 2, 1), Chunk(22050, 2, 1, SOUND))
        return True

    async with far_side(never) as far:
        async with Scope() as scope:
            scope.start(spoken(far.uri, "Hello."), "speaking")
            await far.until("synthesize")
        await far.left_alone()


async def test_what_goes_wrong_there_is_an_error_and_the_next_sentence_connects_anew() -> None:
    async def fails(far: FarSide, event: Event) -> bool:
        await far.say(Error("no such\n\x1bvoice" + "!" * 100_000))
        return True

    async def vanishes(far: FarSide, event: Event) -> bool:
        await far.say(AudioStart(22050, 2, 1), Chunk(22050, 2, 1, SOUND))
        return False

    async def of_8_bit(far: FarSide, event: Event) -> bool:
        await far.say(AudioStart(22050, 1, 1), Chunk(22050, 1, 1, SOUND))
        return True

    async with far_side(fails) as far:
        for answer, why in (
            *((fails, "no such voice"), (vanishes, "closed the connection|ended within")),
            (of_8_bit, "width is 1"),
        ):
            far.answer = answer
            with pytest.raises(EngineError, match=why) as told:
                await spoken(far.uri, "Hello.")
            assert len(str(told.value)) < 400
        far.answer = stereo
        assert await spoken(far.uri, "Hello.")

"""A recogniser elsewhere: the package's server on its side, and everything it may do wrong."""

from contextlib import aclosing

import pytest
from wyoming.asr import Transcript as Heard
from wyoming.asr import TranscriptChunk
from wyoming.error import Error
from wyoming.event import Event

from airos_edge.engines.asr_wyoming import WyomingAsr
from airos_edge.errors import EngineError
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Hints, Place, Transcript
from airos_edge.voice.utterance import Ended, EndReason, Utterance
from tests.e2e.conftest import free_port
from tests.room import speech
from tests.wyoming.far_side import FarSide, far_side

pytestmark = pytest.mark.real_time


def utterance(ms: int = 400, is_ended: bool = True, wake_word: str | None = None) -> Utterance:
    heard = Utterance("item", "speech", 0, wake_word)
    for chunk in speech(ms):
        heard.write(chunk)
    if is_ended:
        heard.end(Ended(EndReason.SILENCE, ms))
    return heard


async def transcribed(uri: str, heard: Utterance) -> list[Transcript]:
    asr = WyomingAsr(uri, Place.LOCAL)
    async with aclosing(asr.transcribe(heard, Hints("de"))) as transcripts:
        return [transcript async for transcript in transcripts]


async def at_the_end(far: FarSide, event: Event) -> bool:
    if event.type == "audio-stop":
        await far.say(TranscriptChunk("lamp"), TranscriptChunk(" on"), Heard("lamp on"))
    return True


async def test_what_was_recorded_is_sent_and_its_words_come_back() -> None:
    async with far_side(at_the_end) as far:
        assert await transcribed(far.uri, utterance()) == [
            Transcript("lamp"),
            Transcript("lamp on"),
            Transcript("lamp on", final=True),
        ]
        assert far.kinds() == ["transcribe", "audio-start", "audio-chunk", "audio-stop"]
        assert far.received[0].data == {"language": "de"}
        chunks = [event.payload for event in far.received if event.type == "audio-chunk"]
        assert b"".join(filter(None, chunks)) == utterance().pcm
        await far.left_alone()


async def test_a_service_that_finds_the_end_itself_ends_the_question() -> None:
    async def early(far: FarSide, event: Event) -> bool:
        if event.type == "audio-chunk":
            await far.say(Heard("lamp on"))
        return True

    heard = utterance(is_ended=False)
    async with far_side(early) as far:
        assert await transcribed(far.uri, heard) == [Transcript("lamp on", final=True)]
    assert heard.wanted_end


async def test_cancelling_closes_the_connection() -> None:
    async def never(far: FarSide, event: Event) -> bool:
        return True

    async with far_side(never) as far:
        async with Scope() as scope:
            scope.start(transcribed(far.uri, utterance()), "transcribing")
            await far.until("audio-stop")
        await far.left_alone()


async def hangs_up(far: FarSide, event: Event) -> bool:
    return event.type != "audio-chunk"


async def says_error(far: FarSide, event: Event) -> bool:
    await far.say(Error("out of memory"))
    return True


async def says_nonsense(far: FarSide, event: Event) -> bool:
    far.handlers[-1].writer.write(b'{"type": "transcript", "data": {"text": 5}}\n')
    return True


async def says_no_event(far: FarSide, event: Event) -> bool:
    far.handlers[-1].writer.write(b"HTTP/1.1 400 Bad Request\n")
    return True


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (hangs_up, "closed the connection|connection was lost|ended within"),
        (says_error, "out of memory"),
        (says_nonsense, "text is no text"),
        (says_no_event, "not JSON"),
    ],
)
async def test_what_goes_wrong_there_is_an_error_that_names_it_and_the_next_turn_connects_anew(
    answer: object, why: str
) -> None:
    async with far_side(answer) as far:  # type: ignore[arg-type]
        with pytest.raises(EngineError, match=why) as caught:
            await transcribed(far.uri, utterance())
        assert caught.value.engine == far.uri
        far.answer = at_the_end
        assert (await transcribed(far.uri, utterance()))[-1].text == "lamp on"


async def test_a_service_that_is_not_there_is_an_error() -> None:
    with pytest.raises(EngineError, match="cannot be reached"):
        await transcribed(f"tcp://127.0.0.1:{free_port()}", utterance())
    with pytest.raises(EngineError, match="cannot be reached"):
        await transcribed("unix:///nowhere/asr.sock", utterance())


async def test_the_wake_word_is_told() -> None:
    async with far_side(at_the_end) as far:
        await transcribed(far.uri, utterance(wake_word="hey_jarvis"))
        assert far.received[0].data["context"] == {"wake_word": "hey_jarvis"}

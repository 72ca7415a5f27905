"""Sound to words: where a question ends, what is told on the way, and what silence and noise are."""

import asyncio
from collections.abc import Iterable
from typing import Any

from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk as Chunk
from wyoming.audio import AudioStart, AudioStop
from wyoming.event import Event

from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.utterance import Judgement
from airos_edge.wyoming.asr import SILENT_S
from airos_edge.wyoming.info import Model, Offers
from tests.fakes import At, FakeAsr, Fault, Said
from tests.room import CHUNK_MS, silence, speech
from tests.wyoming.box import FakeBox, Peer, talking

START = AudioStart(16000, 2, 1)


def hears(*script: Said | str, **more: Any) -> FakeBox:
    return FakeBox(asr=FakeAsr(*script), **more)


async def play(peer: Peer, sound: Iterable[AudioChunk]) -> None:
    """As fast as a microphone."""
    for chunk in sound:
        await peer.send(Chunk(16000, 2, 1, chunk.pcm))
        await asyncio.sleep(CHUNK_MS / 1000)


def kinds(events: Iterable[Event]) -> list[str]:
    return [event.type for event in events]


def text(events: Iterable[Event]) -> str:
    (transcript,) = [event for event in events if event.type == "transcript"]
    return str(transcript.data["text"])


async def test_our_own_ears_end_the_question_while_sound_still_flows() -> None:
    async with talking(hears("lamp on")) as peer:
        await peer.send(Transcribe(language="en"), START)
        await play(peer, silence(500) + speech(800) + silence(900))
        events = await peer.until("transcript-stop")
        assert kinds(events) == [
            "transcript-start",
            "transcript-chunk",
            "transcript",
            "transcript-stop",
        ]
        assert [event.data for event in events[1:3]] == [
            {"text": "lamp on"},
            {"text": "lamp on", "language": "en"},
        ]
        await play(peer, speech(800) + silence(900))  # nobody asked for more
        await peer.send(AudioStop(), b'{"type": "ping"}\n')
        assert kinds(await peer.until("pong")) == ["pong"]


async def test_the_end_of_the_sound_ends_the_question() -> None:
    async with talking(hears("lamp on")) as peer:
        await peer.send(START)
        await play(peer, speech(800))
        await peer.send(AudioStop())
        assert text(await peer.until("transcript-stop")) == "lamp on"


async def test_one_connection_may_ask_again() -> None:
    async with talking(hears("one", "two")) as peer:
        for wanted in ("one", "two"):
            await peer.send(START)
            await play(peer, speech(500))
            await peer.send(AudioStop())
            assert text(await peer.until("transcript-stop")) == wanted


async def test_silence_is_an_empty_transcript_when_the_sound_ends() -> None:
    async with talking(hears("never")) as peer:
        await peer.send(START)
        await play(peer, silence(1000))
        await peer.send(AudioStop())
        assert text(await peer.until("transcript-stop")) == ""


async def test_silence_that_does_not_end_is_ended() -> None:
    async with talking(hears("never")) as peer:
        await peer.send(START)
        await play(peer, silence(1000))
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(SILENT_S - 2)
        assert text(await peer.until("transcript-stop")) == ""
        assert asyncio.get_running_loop().time() - began < SILENT_S


async def test_a_cough_is_no_question_and_is_listened_past() -> None:
    async with talking(hears("", "lamp on")) as peer:
        await peer.send(START)
        await play(peer, speech(140) + silence(1500) + speech(800) + silence(900))
        assert text(await peer.until("transcript-stop")) == "lamp on"


async def test_talk_that_is_nothing_for_us_is_an_empty_transcript_at_once() -> None:
    async with talking(hears("")) as peer:
        await peer.send(START)
        await play(peer, speech(1500) + silence(900))
        assert text(await peer.until("transcript-stop")) == ""


async def test_a_recogniser_that_fails_is_told() -> None:
    async with talking(hears(Said(Fault.RAISE))) as peer:
        await peer.send(START)
        await play(peer, speech(800))
        await peer.send(AudioStop())
        (error,) = await peer.until("error")
        assert error.data == {"text": "fake_asr: broke", "code": "failed"}


async def test_words_are_told_as_soon_as_two_partials_agree_on_them() -> None:
    said = Said(
        "turn on the light",
        (At(300, "turn"), At(400, "turn off"), At(500, "turn on the"), At(600, "turn on the")),
    )
    async with talking(hears(said)) as peer:
        await peer.send(START)
        await play(peer, speech(1000))
        await peer.send(AudioStop())
        events = await peer.until("transcript-stop")
        chunks = [event.data["text"] for event in events if event.type == "transcript-chunk"]
        assert chunks == ["turn", " on the", " light"]


async def test_without_a_vad_the_end_of_the_sound_is_the_end() -> None:
    box = hears("lamp on", offers=Offers(asr=Model("fake", ("en",)), hears_ends=False))
    async with talking(box) as peer:
        await peer.send(START)
        await play(peer, speech(500) + silence(3000))
        await peer.send(AudioStop())
        assert text(await peer.until("transcript-stop")) == "lamp on"


async def test_a_wake_word_that_another_box_heard_is_told_to_the_recogniser() -> None:
    box = hears(Said("lamp on", (At(100, "lamp on", Judgement.COMPLETE),)))
    async with talking(box) as peer:
        await peer.send(Transcribe(context={"wake_word": "hey_jarvis"}), START)
        await play(peer, speech(500))
        (session,) = box.sessions
        assert session.ear.utterance is not None
        assert session.ear.utterance.wake_word == "hey_jarvis"
        await play(peer, silence(500))
        assert text(await peer.until("transcript-stop")) == "lamp on"


async def test_a_client_that_goes_ends_the_recogniser() -> None:
    asr = FakeAsr("lamp on")
    async with talking(FakeBox(asr=asr)) as peer:
        await peer.send(START)
        await play(peer, speech(500))
        assert asr.running == 1
        peer.writer.transport.abort()
        await asyncio.sleep(2)
        assert asr.running == 0

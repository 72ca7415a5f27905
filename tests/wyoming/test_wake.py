"""Wake words in a client's sound."""

from collections.abc import Iterable

from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk as Chunk
from wyoming.audio import AudioStart, AudioStop
from wyoming.ping import Ping
from wyoming.wake import Detect

from airos_edge.voice.audio import AudioChunk
from tests.room import silence, speech, wake_word
from tests.wyoming.box import FakeBox, Peer, talking

START = AudioStart(16000, 2, 1)


async def play(peer: Peer, sound: Iterable[AudioChunk], stamped_from: int | None = None) -> None:
    for place, chunk in enumerate(sound):
        stamp = None if stamped_from is None else stamped_from + place
        await peer.send(Chunk(16000, 2, 1, chunk.pcm, timestamp=stamp))


async def test_each_time_a_word_is_heard_it_is_told() -> None:
    async with talking(FakeBox()) as peer:
        await peer.send(Detect(names=["hey_jarvis"]), START)
        for ends_ms in (420, 420 + 3000 + 420):
            await play(peer, wake_word())
            (event,) = await peer.until("detection")
            assert (event.data["name"], event.data["timestamp"]) == ("hey_jarvis", ends_ms)
            await play(peer, silence(3000))
        await peer.send(AudioStop(), Ping())
        assert [event.type for event in await peer.until("pong")] == ["pong"]


async def test_a_detection_has_the_timestamp_of_its_chunk() -> None:
    async with talking(FakeBox()) as peer:
        await peer.send(Detect(), START)
        await play(peer, wake_word(), stamped_from=7000)
        (event,) = await peer.until("detection")
        assert event.data["timestamp"] == 7020


async def test_sound_that_ends_without_a_word_is_told_so() -> None:
    async with talking(FakeBox()) as peer:
        for _ in range(2):
            await peer.send(Detect(), START)
            await play(peer, speech(500))
            await peer.send(AudioStop())
            assert [event.type for event in await peer.until("not-detected")] == ["not-detected"]


async def test_a_word_that_was_not_asked_for_is_not_told() -> None:
    async with talking(FakeBox()) as peer:
        await peer.send(Detect(names=["alexa"]), START)
        await play(peer, wake_word())
        await peer.send(AudioStop())
        await peer.until("not-detected")


async def test_a_stream_that_another_service_has_ended_hears_nothing_more() -> None:
    async with talking(FakeBox()) as peer:
        await peer.send(Detect(), START, Transcribe(), START, Detect())
        await play(peer, wake_word())
        await peer.send(AudioStop(), Ping())
        assert [event.type for event in await peer.until("pong")] == ["pong"]

"""Wake words are heard once, where they are said, and nothing else is."""

import numpy as np
import pytest

from airos_edge.engines.wake_openwakeword import REFRACTORY_MS, open_wake
from airos_edge.errors import EngineUnavailable
from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.ports import Wake, WakeHit
from tests.speech import spoken

WORDS = {"hey_jarvis": 0.5, "okay_nabu": 0.5, "alexa": 0.5}


def room(ms: int) -> AudioChunk:
    noise = np.random.default_rng(1).normal(0, 30, samples_of(ms))
    return AudioChunk(noise.astype("<i2").tobytes())


def listen(wake: Wake, *sounds: AudioChunk, piece_bytes: int = 640) -> list[WakeHit]:
    pcm = b"".join(sound.pcm for sound in sounds)
    pieces = [pcm[at : at + piece_bytes] for at in range(0, len(pcm), piece_bytes)]
    return [hit for piece in pieces for hit in wake.feed(AudioChunk(piece))]


@pytest.mark.parametrize(
    ("text", "voice", "word"),
    [
        ("Hey Jarvis", "en-gb", "hey_jarvis"),
        ("okay nabu", "en-us+f3", "okay_nabu"),
        ("alexa", "en-gb", "alexa"),
    ],
)
def test_a_word_is_heard_once_where_it_is_said(text: str, voice: str, word: str) -> None:
    said = spoken(text, voice=voice)
    hits = listen(open_wake(WORDS)(), room(500), said, room(1500))
    assert [hit.word for hit in hits] == [word]
    assert 0.5 <= hits[0].score <= 1
    begin = samples_of(500)
    assert begin < hits[0].sample < begin + said.samples + samples_of(500)


def test_it_is_heard_from_the_first_sample_of_a_stream_on() -> None:
    hits = listen(open_wake(WORDS)(), spoken("Hey Jarvis", voice="en-gb"), room(1500))
    assert [hit.word for hit in hits] == ["hey_jarvis"]


def test_however_the_sound_is_cut_the_hits_are_the_same() -> None:
    streams = open_wake(WORDS)
    sounds = (room(500), spoken("Hey Jarvis", voice="en-gb"), room(1500))
    expected = listen(streams(), *sounds)
    for size in (2000, 2560, 100_000):
        assert listen(streams(), *sounds, piece_bytes=size) == expected


def test_ordinary_speech_wakes_nobody() -> None:
    hits = listen(
        open_wake(WORDS)(),
        room(500),
        spoken("Turn on the kitchen light, and then tell me what time it is."),
        room(1500),
    )
    assert hits == []


def test_a_word_that_was_not_asked_for_is_not_heard() -> None:
    hits = listen(
        open_wake({"alexa": 0.5})(), room(500), spoken("Hey Jarvis", voice="en-gb"), room(1500)
    )
    assert hits == []


def test_each_word_has_its_own_threshold() -> None:
    sounds = (room(500), spoken("Hey Jarvis", voice="en-gb"), room(1500))
    (hit,) = listen(open_wake({"hey_jarvis": 0.5, "alexa": 0.9})(), *sounds)
    assert listen(open_wake({"hey_jarvis": 1.01, "alexa": 0.1})(), *sounds) == []
    assert hit.word == "hey_jarvis"


def test_said_again_it_is_heard_again_but_not_at_once() -> None:
    said = spoken("Hey Jarvis", voice="en-gb")
    wake = open_wake({"hey_jarvis": 0.2})()
    first, second = listen(wake, room(500), said, room(3000), said, room(1500))
    assert second.sample - first.sample > samples_of(REFRACTORY_MS)


def test_streams_do_not_hear_each_other() -> None:
    streams = open_wake(WORDS)
    sounds = (room(500), spoken("Hey Jarvis", voice="en-gb"), room(1500))
    one, other = streams(), streams()
    hits, others = [], []
    pcm = b"".join(sound.pcm for sound in sounds)
    for at in range(0, len(pcm), 640):
        hits += one.feed(AudioChunk(pcm[at : at + 640]))
        others += other.feed(AudioChunk(bytes(640)))
    assert hits == listen(streams(), *sounds)
    assert others == []


def test_an_unknown_word_names_those_nearest_to_it() -> None:
    with pytest.raises(EngineUnavailable, match="'hey jarvis'; try hey_jarvis"):
        open_wake({"hey jarvis": 0.5})


def test_a_word_like_none_names_them_all() -> None:
    with pytest.raises(EngineUnavailable, match="alexa or hey_jarvis or hey_mycroft"):
        open_wake({"qqq": 0.5})

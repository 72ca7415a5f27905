"""Wake words have high scores where they are said, whenever they come, and nothing else has."""

import numpy as np
import pytest

from airos_edge.engines import wake_openwakeword
from airos_edge.engines.embedding import Array, Embedding, State
from airos_edge.engines.wake_openwakeword import openwakeword
from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.ports import Wake, WakeScore
from tests.speech import noise, spoken

WORDS = ("hey_jarvis", "okay_nabu", "alexa")
THRESHOLD = 0.5
SAID = spoken("Hey Jarvis", voice="en-gb")


class NeverQuiet:
    """In the place of the gate: everything is computed."""

    is_quiet = False
    samples = 0

    def feed(self, pcm: bytes) -> None:
        pass


def listen(wake: Wake, *sounds: AudioChunk, piece_bytes: int = 640) -> list[WakeScore]:
    pcm = b"".join(sound.pcm for sound in sounds)
    pieces = [pcm[at : at + piece_bytes] for at in range(0, len(pcm), piece_bytes)]
    return [score for piece in pieces for score in wake.feed(AudioChunk(piece))]


def heard(scores: list[WakeScore]) -> set[str]:
    return {score.word for score in scores if score.score >= THRESHOLD}


def first(scores: list[WakeScore]) -> WakeScore:
    return next(score for score in scores if score.score >= THRESHOLD)


@pytest.mark.parametrize(
    ("text", "voice", "word"),
    [
        ("Hey Jarvis", "en-gb", "hey_jarvis"),
        ("okay nabu", "en-us+f3", "okay_nabu"),
        ("alexa", "en-gb", "alexa"),
    ],
)
def test_a_word_is_heard_where_it_is_said(text: str, voice: str, word: str) -> None:
    said = spoken(text, voice=voice)
    scores = listen(openwakeword(WORDS)(), noise(500), said, noise(1500))
    assert heard(scores) == {word}
    assert samples_of(500) < first(scores).sample < samples_of(1000) + said.samples


def test_it_is_heard_from_the_first_sample_of_a_stream_on() -> None:
    assert heard(listen(openwakeword(WORDS)(), SAID, noise(1500))) == {"hey_jarvis"}


def test_every_word_has_a_score_for_each_40_ms_and_for_each_10_ms_where_it_is_said() -> None:
    scores = listen(openwakeword(WORDS)(), noise(500), SAID, noise(500))
    for word in WORDS:
        samples = [score.sample for score in scores if score.word == word]
        assert {*range(640, samples[-1] + 1, 640)} <= {*samples}
        assert samples == sorted(set(samples))
    likely = [score.sample for score in scores if score.score >= 0.1]
    scored = {score.sample for score in scores if score.word == "hey_jarvis"}
    assert {*range(likely[0], likely[-1] + 1, 160)} <= scored


@pytest.mark.parametrize("later_ms", range(10, 80, 10))
def test_a_word_is_heard_whenever_it_comes(later_ms: int) -> None:
    """On some grids of 80 ms this one has no score over 0.5."""
    said = spoken("alexa", voice="en-us", rate_wpm=150)
    scores = listen(openwakeword(["alexa"])(), noise(1000 + later_ms), said, noise(1000))
    assert heard(scores) == {"alexa"}


@pytest.mark.parametrize("piece_bytes", [2000, 2560, 100_000])
def test_however_the_sound_is_cut_the_scores_are_the_same(piece_bytes: int) -> None:
    streams = openwakeword(WORDS)
    sounds = (noise(500), SAID, noise(1500))
    expected = listen(streams(), *sounds)
    scores = listen(streams(), *sounds, piece_bytes=piece_bytes)
    both = zip(scores, expected, strict=False)
    assert all(one.sample == other.sample for one, other in both)
    assert len(scores) >= len(expected) - 16 * len(WORDS)
    assert numbers(scores) == pytest.approx(numbers(expected)[: len(scores)], abs=1e-3)


def test_ordinary_speech_wakes_nobody() -> None:
    said = spoken("Turn on the kitchen light, and then tell me what time it is.")
    assert heard(listen(openwakeword(WORDS)(), noise(500), said, noise(1500))) == set()


def test_streams_do_not_hear_each_other() -> None:
    streams = openwakeword(WORDS)
    one, other = streams(), streams()
    scores, others = [], []
    for at in range(0, len(SAID.pcm), 640):
        scores += one.feed(AudioChunk(SAID.pcm[at : at + 640]))
        others += other.feed(AudioChunk(bytes(640)))
    assert numbers(scores) == pytest.approx(numbers(listen(streams(), SAID)), abs=1e-6)
    assert heard(others) == set()


# ---- the quiet gate -----------------------------------------------------------------------------


def test_after_minutes_of_silence_the_scores_are_those_of_who_never_slept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    streams = openwakeword(WORDS)
    sounds = (noise(60_000), SAID, noise(1000))
    gated = {(one.word, one.sample): one.score for one in listen(streams(), *sounds)}
    monkeypatch.setattr(wake_openwakeword, "Quiet", NeverQuiet)
    whole = {(one.word, one.sample): one.score for one in listen(streams(), *sounds)}
    since = {key: score for key, score in whole.items() if key[1] >= samples_of(60_200)}
    assert max(since.values()) > THRESHOLD
    assert since == pytest.approx({key: gated[key] for key in since}, abs=1e-3)
    assert len(gated) < len(whole) / 4


def test_a_word_as_loud_as_the_noise_is_heard_as_without_the_gate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    streams = openwakeword(["hey_jarvis"])
    murmured = (
        np.frombuffer(SAID.pcm, "<i2") / 4
        + np.frombuffer(noise(1500, lsb=300).pcm, "<i2")[: SAID.samples]
    )
    sounds = (
        noise(20_000, lsb=300),
        AudioChunk(murmured.astype("<i2").tobytes()),
        noise(1000, lsb=300),
    )
    gated = listen(streams(), *sounds)
    monkeypatch.setattr(wake_openwakeword, "Quiet", NeverQuiet)
    whole = listen(streams(), *sounds)
    assert first(gated).sample == first(whole).sample


def test_in_a_quiet_room_nothing_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    heard_samples = 0
    really = Embedding.step

    def counted(self: Embedding, state: State, samples: Array) -> tuple[Array, State]:
        nonlocal heard_samples
        heard_samples += len(samples)
        return really(self, state, samples)

    wake = openwakeword(WORDS)()
    listen(wake, noise(15_000))
    monkeypatch.setattr(Embedding, "step", counted)
    assert listen(wake, noise(30_000)) == []
    assert heard_samples == 0
    listen(wake, SAID)
    assert 0 < heard_samples < samples_of(2400) + SAID.samples


# ---- which words --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "near"), [("hey jarvis", "try hey_jarvis"), ("qqq", "try alexa or hey_jarvis or")]
)
def test_an_unknown_word_names_those_like_it_or_all_and_the_others_are_heard(
    word: str, near: str
) -> None:
    streams = openwakeword([word, "hey_jarvis"])
    assert near in streams.unheard[word]
    assert heard(listen(streams(), SAID, noise(1500))) == {"hey_jarvis"}


def numbers(scores: list[WakeScore]) -> list[float]:
    return [score.score for score in scores]

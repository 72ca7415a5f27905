"""microWakeWord's words have high scores where they are said, and its manifests are read with care."""

import json
from pathlib import Path

import pymicro_wakeword as mww
import pytest

from airos_edge.engines.wake_microwakeword import MicroWakeWord, open_wake
from airos_edge.engines.wanted import WakeWords, WantedWake
from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.ports import Wake, WakeScore
from airos_edge.voice.waking import WordSettings
from tests.engines.word_models import micro_word
from tests.speech import noise, spoken

WORDS = ("hey_jarvis", "okay_nabu", "alexa")
OKAY = spoken("okay nabu")


def opened(*words: str, **own: Path) -> WakeWords:
    settings = dict.fromkeys(words, WordSettings())
    return open_wake(WantedWake(settings | {w: WordSettings(str(at)) for w, at in own.items()}))


def listen(wake: Wake, *sounds: AudioChunk, piece_bytes: int = 640) -> list[WakeScore]:
    pcm = b"".join(sound.pcm for sound in sounds)
    pieces = [pcm[at : at + piece_bytes] for at in range(0, len(pcm), piece_bytes)]
    return [score for piece in pieces for score in wake.feed(AudioChunk(piece))]


def heard(scores: list[WakeScore]) -> set[str]:
    return {score.word for score in scores if score.score >= score.enough}


@pytest.mark.parametrize(
    ("text", "voice", "word"),
    [("okay nabu", "en-us", "okay_nabu"), ("alexa", "en-gb", "alexa")],
)
def test_a_word_is_heard_where_it_is_said(text: str, voice: str, word: str) -> None:
    said = spoken(text, voice=voice)
    scores = listen(opened(*WORDS)(), noise(500), said, noise(1500))
    assert heard(scores) == {word}
    first = next(score for score in scores if score.score >= score.enough)
    assert samples_of(500) < first.sample < samples_of(1000) + said.samples


def test_ordinary_speech_wakes_nobody() -> None:
    said = spoken("Turn on the kitchen light, and then tell me what time it is.")
    assert heard(listen(opened(*WORDS)(), noise(500), said, noise(1500))) == set()


def test_what_is_enough_for_a_word_stands_in_its_manifest(tmp_path: Path) -> None:
    path = micro_word(tmp_path, probability_cutoff=0.42)
    scores = listen(opened("okay_nabu", mine=path)(), noise(300))
    assert {score.word: score.enough for score in scores} == {"okay_nabu": 0.85, "mine": 0.42}


def test_every_word_has_a_score_for_each_30_ms_that_is_pymicro_wakewords_own() -> None:
    scores = listen(opened("okay_nabu")(), OKAY, noise(1000))
    features, word = (
        mww.MicroWakeWordFeatures(),
        mww.MicroWakeWord.from_builtin(mww.Model.OKAY_NABU),
    )
    theirs = [
        word.process_streaming_prob(one)
        for one in features.process_streaming(OKAY.pcm + noise(1000).pcm)
    ]
    assert [score.score for score in scores] == pytest.approx(theirs[2::3])
    assert [score.sample for score in scores[:2]] == [samples_of(30), samples_of(60)]
    assert max(theirs[2::3]) > 0.85


@pytest.mark.parametrize("piece_bytes", [320, 2000, 100_000])
def test_however_the_sound_is_cut_the_scores_are_the_same(piece_bytes: int) -> None:
    streams = opened(*WORDS)
    sounds = (noise(500), OKAY)
    assert listen(streams(), *sounds, piece_bytes=piece_bytes) == listen(streams(), *sounds)


def test_streams_do_not_hear_each_other() -> None:
    streams = opened("okay_nabu")
    one, other = streams(), streams()
    scores, others = [], []
    for piece in OKAY.pieces(320):
        scores += one.feed(piece)
        others += other.feed(AudioChunk(bytes(640)))
    assert scores == listen(streams(), OKAY)
    assert heard(others) == set()


def test_an_unknown_word_names_those_like_it() -> None:
    assert opened("okay_nabus").unheard["okay_nabus"].endswith("try okay_nabu or hey_jarvis")


# ---- the owner's own ----------------------------------------------------------------------------


def test_an_own_model_is_heard_by_the_name_that_the_owner_gives_it(tmp_path: Path) -> None:
    streams = opened(hey_mum=micro_word(tmp_path))
    assert heard(listen(streams(), noise(500), OKAY, noise(1000))) == {"hey_mum"}


def test_who_writes_over_its_files_does_not_disturb_who_begins_to_listen(tmp_path: Path) -> None:
    streams = opened(hey_mum=micro_word(tmp_path))
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    assert heard(listen(streams(), noise(500), OKAY, noise(1000))) == {"hey_mum"}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"micro": None}, "is no manifest of a microWakeWord model"),
        ({"model": "other.tflite"}, "names other.tflite, which cannot be read: No such file"),
        ({"model": "page.tflite"}, "names page.tflite, which is a web page"),
        ({"model": "cut.tflite"}, "names cut.tflite, which is no whole TensorFlow Lite model"),
        ({"model": "word.tflite"}, "names word.tflite, which is no microWakeWord model"),
        ({"micro": {"probability_cutoff": 0.5}}, "it lacks 'sliding_window_size'"),
        (
            {
                "micro": {
                    "probability_cutoff": 0.5,
                    "sliding_window_size": 5,
                    "feature_step_size": 20,
                }
            },
            "wants features each 20 ms",
        ),
    ],
)
def test_what_is_no_model_is_named_as_what_it_is_and_the_others_are_heard(
    tmp_path: Path, changed: dict[str, object], told: str
) -> None:
    import pyopen_wakeword as oww

    path = micro_word(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    whole = (tmp_path / "mine.tflite").read_bytes()
    (tmp_path / "cut.tflite").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "page.tflite").write_bytes(b"<html><body>404</body></html>")
    word = (Path(oww.__file__).parent / "models" / "okay_nabu.tflite").read_bytes()
    (tmp_path / "word.tflite").write_bytes(word)
    streams = opened("okay_nabu", hey_mum=path)
    assert told in streams.unheard["hey_mum"]
    assert heard(listen(streams(), noise(500), OKAY, noise(1000))) == {"okay_nabu"}


def test_a_manifest_that_is_no_mapping_is_none(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text("[1]")
    assert "is no manifest" in opened("okay_nabu", hey_mum=path).unheard["hey_mum"]


def test_many_streams_that_end_leave_nothing_behind(tmp_path: Path) -> None:
    streams = opened("okay_nabu")
    silence = AudioChunk(bytes(6400))

    def lived() -> None:
        wake = streams()
        assert isinstance(wake, MicroWakeWord)
        wake.feed(silence)

    for _ in range(30):
        lived()
    before = resident_kb()
    for _ in range(500):
        lived()
    assert resident_kb() - before < 4000


def resident_kb() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

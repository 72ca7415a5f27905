"""Each word goes to the engine that has it; one that nobody has does not make the others deaf."""

from collections.abc import Callable
from pathlib import Path

import pytest

from airos_edge.engines.choosing import choose
from airos_edge.engines.opening import open_wake
from airos_edge.engines.wanted import WakeWords, WantedWake
from airos_edge.engines.word_engines import Open, open_words
from airos_edge.errors import EngineUnavailable
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ports import Wake, WakeScore
from airos_edge.voice.waking import Waking, WordSettings
from tests.engines.word_models import micro_word, onnx_word
from tests.speech import noise, spoken

SAID = spoken("Hey Jarvis", voice="en-gb")


class Hears:
    """Scores each of its words in each chunk."""

    def __init__(self, words: list[str], sample: int) -> None:
        self.is_closed = False
        self._words = words
        self._sample = sample

    def feed(self, chunk: AudioChunk) -> list[WakeScore]:
        return [WakeScore(word, self._sample, 1.0) for word in self._words]

    async def aclose(self) -> None:
        self.is_closed = True


def engine(*has: str, sample: int = 1, begun: list[Hears] | None = None) -> Open:
    def open_engine(wanted: WantedWake) -> WakeWords:
        mine = [word for word, how in wanted.words.items() if how.model or word in has]

        def begin() -> Wake:
            wake = Hears(mine, sample)
            (begun if begun is not None else []).append(wake)
            return wake

        return WakeWords(begin, {word: "unknown" for word in wanted.words if word not in mine})

    return open_engine


def broken(wanted: WantedWake) -> Callable[[], Wake]:
    raise EngineUnavailable("broken", "cannot be loaded")


def words(*names: str, **own: str) -> WantedWake:
    return WantedWake(
        dict.fromkeys(names, WordSettings()) | {name: WordSettings(at) for name, at in own.items()}
    )


def heard(streams: WakeWords) -> list[str]:
    return [score.word for score in streams().feed(AudioChunk(bytes(640)))]


def test_a_word_without_a_file_goes_to_the_first_that_has_it() -> None:
    streams = open_words({"one": engine("a"), "two": engine("a", "b")}, words("a", "b"))
    assert streams.by == {"a": "one", "b": "two"}
    assert heard(streams) == ["a", "b"]
    assert streams.unheard == {}


def test_a_word_of_several_goes_to_the_one_that_hears_it_better_as_long_as_that_can() -> None:
    both = {
        "openwakeword": engine("hey_jarvis", "okay_nabu"),
        "microwakeword": engine("hey_jarvis", "okay_nabu"),
    }
    wanted = words("hey_jarvis", "okay_nabu")
    assert open_words(both, wanted).by == {
        "hey_jarvis": "openwakeword",
        "okay_nabu": "microwakeword",
    }
    streams = open_words(both | {"microwakeword": broken}, wanted)
    assert set(streams.by.values()) == {"openwakeword"}
    assert streams.unheard == {}


def test_a_word_with_a_file_goes_to_the_engine_of_its_format(tmp_path: Path) -> None:
    own = words("a", mum=str(micro_word(tmp_path)), dad=str(onnx_word(tmp_path / "dad.onnx")))
    engines = {"openwakeword": engine("a"), "microwakeword": engine("a")}
    by = {"a": "openwakeword", "dad": "openwakeword", "mum": "microwakeword"}
    assert open_words(engines, own).by == by


def test_an_engine_that_gets_no_word_is_not_opened() -> None:
    assert open_words({"one": engine("a"), "two": broken}, words("a")).by == {"a": "one"}


def test_a_word_that_nobody_has_says_why_of_each_and_the_others_are_heard() -> None:
    streams = open_words({"one": engine("a"), "two": broken}, words("a", "b"))
    assert heard(streams) == ["a"]
    assert streams.unheard == {"b": "one: unknown; broken: cannot be loaded"}
    assert streams.by == {"a": "one"}


def test_an_engine_that_is_broken_leaves_its_words_to_the_next() -> None:
    streams = open_words({"one": broken, "two": engine("a")}, words("a"))
    assert (streams.by, streams.unheard) == ({"a": "two"}, {})


def test_a_file_for_an_engine_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    own = words("a", mum=str(micro_word(tmp_path)))
    streams = open_words({"openwakeword": engine("a")}, own)
    assert "is for microwakeword: set wake.engine to auto" in streams.unheard["mum"]
    assert "pip install 'airos-edge[microwakeword]'" in streams.unheard["mum"]


def test_for_an_engine_elsewhere_no_file_here_matters() -> None:
    assert open_words({"tcp://box:10400": engine()}, words(mum="/nowhere.onnx")).unheard == {}


def test_where_no_word_can_be_heard_every_one_is_named() -> None:
    with pytest.raises(EngineUnavailable, match=r"a is not heard: .*unknown; b is not heard"):
        open_words({"one": engine()}, words("a", "b"))


def test_an_engine_of_another_package_gives_streams_alone() -> None:
    streams = open_words({"theirs": lambda wanted: lambda: Hears(["a"], 1)}, words("a"))
    assert heard(streams) == ["a"]


def test_joined_scores_are_in_the_order_of_their_samples() -> None:
    streams = open_words({"one": engine("a", sample=9), "two": engine("b")}, words("a", "b"))
    assert heard(streams) == ["b", "a"]


async def test_a_joined_stream_closes_all_it_is_joined_of() -> None:
    begun: list[Hears] = []
    engines = {"one": engine("a", begun=begun), "two": engine("b", begun=begun)}
    await Waking(open_words(engines, words("a", "b"))(), {}).aclose()
    assert [wake.is_closed for wake in begun] == [True, True]


def test_words_of_both_engines_are_heard_in_one_stream(tmp_path: Path) -> None:
    own = words("hey_jarvis", "hey_nobody", dad=str(onnx_word(tmp_path / "dad.onnx")))
    own = WantedWake(own.words | words(hey_nabu=str(micro_word(tmp_path))).words)
    streams = open_wake(choose("wake"), own)
    assert streams.by == {
        "hey_jarvis": "openwakeword",
        "dad": "openwakeword",
        "hey_nabu": "microwakeword",
    }
    assert "openwakeword: no wake word 'hey_nobody'" in streams.unheard["hey_nobody"]
    assert "microwakeword: no wake word 'hey_nobody'" in streams.unheard["hey_nobody"]
    waking = Waking(streams(), own.words)
    okay = spoken("okay nabu")
    hits = [
        hit.word
        for sound in (noise(500), SAID, noise(2500), okay, noise(1000))
        for piece in sound.pieces(320)
        for hit in waking.feed(piece)
    ]
    assert [word for word in hits if word != "dad"] == ["hey_jarvis", "hey_nabu"]

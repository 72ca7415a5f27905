"""espeak-ng's library: what it says, where the words are, and what it refuses."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from airos_edge.engines import espeak
from airos_edge.engines.espeak import Word, load
from airos_edge.errors import EngineError, EngineUnavailable


def seconds(recording: espeak.Recording) -> float:
    return len(recording.pcm) / 2 / recording.rate_hz


def test_it_is_loaded_once() -> None:
    assert load() is load()


def test_it_is_loaded_once_though_several_want_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Initialised twice at once, it breaks its own memory: that has ended daemons as they started."""
    loading, a_second_came = threading.Lock(), threading.Event()

    def loaded() -> None:
        if not loading.acquire(blocking=False):
            a_second_came.set()
            return
        a_second_came.wait(0.05)
        loading.release()

    monkeypatch.setattr(espeak, "_loaded", loaded)
    with ThreadPoolExecutor(4) as pool:
        wait([pool.submit(load) for _ in range(4)])
    assert not a_second_came.is_set()


def test_words_have_their_places_in_the_text_and_in_the_sound() -> None:
    text = "Küche and hall"
    recording = load().say(text, "en-us")
    assert [text[word.start : word.end] for word in recording.words] == ["Küche", "and", "hall"]
    begins = [word.sample for word in recording.words]
    assert begins == sorted(begins)
    assert 0 <= begins[0] < begins[-1] < len(recording.pcm) / 2


def test_a_faster_rate_takes_less_time_and_the_next_text_is_not_hurried() -> None:
    usual = load().say("This is the usual rate of speech.", "en-us")
    fast = load().say("This is the usual rate of speech.", "en-us", rate_wpm=320)
    assert seconds(fast) < 0.7 * seconds(usual)
    again = load().say("This is the usual rate of speech.", "en-us")
    assert seconds(again) == pytest.approx(seconds(usual), rel=0.01)


def test_who_has_enough_gets_no_more() -> None:
    taken: list[int] = []

    def take(pcm: bytes, words: list[Word]) -> bool:
        taken.append(len(pcm))
        return len(taken) < 3

    load().stream("One two three four five six seven eight nine ten. " * 20, "en-us", 160, take)
    assert len(taken) == 3


@pytest.mark.parametrize("text", ["", " ", "\x00", "\n"])
def test_what_has_no_words_is_said_without_harm(text: str) -> None:
    assert load().say(text, "en-us").words == []


@pytest.mark.parametrize("voice", ["de", "de-at", "EN-GB", "en-us+f3"])
def test_a_voice_is_found_by_its_language(voice: str) -> None:
    assert seconds(load().say("eins zwei", voice)) > 0.3


def test_phonemes_follow_the_voice() -> None:
    assert load().phonemes("name", "en-us") == "n'eIm"
    assert load().phonemes("name", "de") == "n'A:m@"
    assert load().phonemes("", "en-us") == ""


@pytest.mark.parametrize(
    ("voice", "hint"), [("xx-yy", "en-us or"), ("enn-us", "en-us"), ("", "de")]
)
def test_a_voice_that_it_does_not_have_is_refused_with_the_nearest(voice: str, hint: str) -> None:
    with pytest.raises(EngineError, match=f"there is no voice '{voice}'; try .*{hint}"):
        load().say("hello", voice)
    with pytest.raises(EngineError, match="there is no voice"):
        load().phonemes("hello", voice)


def test_threads_take_turns() -> None:
    texts = {"de": "Guten Tag und auf Wiedersehen.", "en-us": "Good morning."}
    alone = {voice: seconds(load().say(text, voice)) for voice, text in texts.items()}
    together: list[tuple[str, float]] = []

    def say(voice: str) -> None:
        together.append((voice, seconds(load().say(texts[voice], voice))))

    threads = [threading.Thread(target=say, args=(voice,)) for voice in list(texts) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(together) == 8
    assert all(took == pytest.approx(alone[voice], rel=0.02) for voice, took in together)


def test_a_library_that_is_not_there_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("espeakng_loader.get_library_path", lambda: "/nowhere/libespeak-ng.so")
    with pytest.raises(EngineUnavailable, match="espeak: its library cannot be loaded: /nowhere"):
        espeak._loaded.__wrapped__()

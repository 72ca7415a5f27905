"""espeak-ng as a voice: text and sound stay together, early, and stop at once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from airos_edge.engines.espeak import load
from airos_edge.engines.tts_espeak import AUDIBLE, LEAD_MS, PAUSE_MS, open_espeak
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.voice.audio import BYTES_PER_SAMPLE
from airos_edge.voice.ports import Speaking, Speech

LONG = "I can answer nearly anything that you might want to ask me on a day as fine as this one is."


async def given(*sentences: str) -> AsyncIterator[str]:
    for sentence in sentences:
        yield sentence


async def speak(*sentences: str, **how: object) -> list[Speech]:
    tts = open_espeak(None, 1.0)
    return [piece async for piece in tts.speak(given(*sentences), Speaking(**how))]  # type: ignore[arg-type]


def ms(pieces: list[Speech]) -> float:
    return sum(piece.chunk.ms for piece in pieces)


def audible_ms(pieces: list[Speech]) -> np.ndarray:
    """Where samples are audible."""
    pcm = b"".join(piece.chunk.pcm for piece in pieces)
    loud = np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)) > AUDIBLE
    return np.flatnonzero(loud) * 1000 / pieces[0].chunk.rate_hz


@pytest.mark.parametrize(
    ("sentences", "language"),
    [
        (("Turned on the kitchen light.",), "en"),
        (("It is 10:30, or 3.5. ", ' She said: "don\'t" — e.g. 🙂 now.', " Third\n"), "en"),
        (("Über dreiundzwanzig Äpfel fielen.",), "de"),
        (("你好，今天天气很好。",), "zh"),
        (("...",), "en"),
        ((" ",), "en"),
    ],
)
async def test_joined_the_texts_are_what_was_given(
    sentences: tuple[str, ...], language: str
) -> None:
    pieces = await speak(*sentences, language=language)
    assert "".join(piece.text for piece in pieces) == "".join(sentences)


async def test_a_word_belongs_to_the_piece_in_which_it_begins() -> None:
    pieces = await speak("Turned on the kitchen light.")
    skipped_ms = len(load().say("Turned on the kitchen light.", "en-us").pcm) / 2 / 22.05
    skipped_ms -= ms(pieces)
    begins_ms = {"Turned": 0.0, " on": 364.0, " the kitchen": 596.0, " light.": 1036.0}
    at_ms = 0.0
    found = []
    for piece in pieces:
        if piece.text:
            found.append(piece.text)
            begin_ms = max(0.0, begins_ms[piece.text] - skipped_ms)
            assert at_ms - 1 <= begin_ms <= at_ms + piece.chunk.ms + 1
        at_ms += piece.chunk.ms
    assert found == list(begins_ms)


async def test_what_espeak_says_in_several_parts_is_one_word_of_the_text() -> None:
    pieces = await speak("It is 10:30 or 3.5, don't you know.")
    assert [piece.text for piece in pieces if piece.text] == [
        "It",
        " is",
        " 10:30",
        " or",
        " 3.5,",
        " don't",
        " you",
        " know.",
    ]


async def test_pieces_are_short_and_in_the_voices_own_rate() -> None:
    pieces = await speak(LONG)
    assert all(0 < piece.chunk.ms <= 61 for piece in pieces)
    assert {piece.chunk.rate_hz for piece in pieces} == {load().rate_hz}
    assert all(len(piece.chunk.pcm) % BYTES_PER_SAMPLE == 0 for piece in pieces)


async def test_silence_before_the_first_sound_and_after_the_last_is_next_to_none() -> None:
    pieces = await speak("Turned on the kitchen light.")
    audible = audible_ms(pieces)
    assert audible[0] <= LEAD_MS + 1
    assert ms(pieces) - audible[-1] < 15


async def test_between_two_sentences_there_is_a_pause() -> None:
    first = await speak("It is on.")
    both = await speak("It is on.", " It is off.")
    gap = np.diff(audible_ms(both)).max()
    assert PAUSE_MS <= gap <= PAUSE_MS + 40
    assert ms(both) > 2 * ms(first)


async def test_a_sentence_is_said_before_the_next_one_is_written() -> None:
    written: asyncio.Queue[str] = asyncio.Queue()

    async def text() -> AsyncIterator[str]:
        while True:
            yield await written.get()

    speech = open_espeak(None, 1.0).speak(text(), Speaking())
    written.put_nowait("First sentence.")
    said = ""
    while said != "First sentence.":
        said += (await anext(speech)).text
    await speech.aclose()


async def test_speed_and_the_configured_rate_multiply() -> None:
    usual = ms(await speak(LONG))
    fast = ms(await speak(LONG, speed=1.5))
    tts = open_espeak(None, 1.25)
    fast_too = [piece async for piece in tts.speak(given(LONG), Speaking(speed=1.2))]
    assert 0.55 < fast / usual < 0.8
    assert ms(fast_too) == pytest.approx(fast, rel=0.02)


async def test_the_voice_asked_for_comes_before_the_configured_one_before_the_languages() -> None:
    async def length(configured: str | None, **how: str) -> float:
        tts = open_espeak(configured, 1.0)
        return ms([piece async for piece in tts.speak(given(LONG), Speaking(**how))])

    german = await length(None, voice="de")
    british = await length(None, voice="en-gb")
    assert german != pytest.approx(british, rel=0.02)
    assert await length("en-gb", voice="de") == pytest.approx(german, rel=0.01)
    assert await length("en-gb", language="en-us") == pytest.approx(british, rel=0.01)
    assert await length("en-gb", language="de") == pytest.approx(german, rel=0.01), "not its own"
    assert await length(None, language="de") == pytest.approx(german, rel=0.01)


@pytest.mark.parametrize("how", [{"voice": "nobody"}, {"language": "xx"}])
async def test_an_unknown_voice_is_an_error_that_names_some(how: dict[str, str]) -> None:
    with pytest.raises(EngineError, match=r"no voice '(nobody|xx)'; try "):
        await speak("Hello.", **how)


def test_an_unknown_configured_voice_is_told_when_the_engine_is_opened() -> None:
    with pytest.raises(EngineUnavailable, match=r"no voice 'nobody'.*en-us"):
        open_espeak("nobody", 1.0)


async def test_several_may_speak_at_once_each_in_its_own_voice() -> None:
    voices = ("en-us", "de", "fr")
    alone = [ms(await speak(LONG, voice=voice)) for voice in voices]
    together = await asyncio.gather(*(speak(LONG, voice=voice) for voice in voices))
    assert [ms(pieces) for pieces in together] == pytest.approx(alone, rel=0.01)


async def test_closing_stops_the_synthesis_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an hour of speech, which takes two seconds to make, next to nothing is made."""
    made_ms = 0.0
    ended = asyncio.Event()
    espeak, loop = load(), asyncio.get_running_loop()
    stream = espeak.stream

    def counting(text: str, voice: str, rate_wpm: int, take: object) -> None:
        def take_too(pcm: bytes, words: object) -> bool:
            nonlocal made_ms
            made_ms += len(pcm) / 2 * 1000 / espeak.rate_hz
            return bool(take(pcm, words))  # type: ignore[operator]

        stream(text, voice, rate_wpm, take_too)
        loop.call_soon_threadsafe(ended.set)

    monkeypatch.setattr(espeak, "stream", counting)
    speech = open_espeak(None, 1.0).speak(given(LONG * 700), Speaking())
    await anext(speech)
    await speech.aclose()
    await ended.wait()
    assert made_ms < 60_000


async def test_cancelled_it_leaves_the_voice_fit_for_the_next() -> None:
    alone = ms(await speak(LONG))
    begun = asyncio.Event()

    async def say() -> None:
        async for _ in open_espeak(None, 1.0).speak(given(LONG * 700), Speaking(voice="de")):
            begun.set()

    task = asyncio.create_task(say())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert ms(await speak(LONG)) == pytest.approx(alone, rel=0.01)


@pytest.mark.parametrize(
    ("language", "same_as"),
    [
        ("zh", "cmn"),
        ("zh-CN", "cmn"),
        ("zh-TW", "cmn"),
        ("zh-HK", "yue"),
        ("de-AT", "de"),
        ("pt-BR", "pt-br"),
        ("nb-NO", "nb"),
        ("en", "en-us"),
    ],
)
async def test_a_language_is_spoken_by_its_voice_whatever_its_tag(
    language: str, same_as: str
) -> None:
    text = "1, 2, 3, 4, 5, 6, 7, 8."
    by_language = ms(await speak(text, language=language))
    assert by_language == pytest.approx(ms(await speak(text, voice=same_as)), rel=0.01)
    assert next(iter(open_espeak(None, 1.0).voices(language))) in (same_as, "zh", "zh-cmn")


async def test_numbers_are_read_in_the_language() -> None:
    """In German the units come before the tens: the same signs are other words."""
    lengths = {
        language: ms(await speak("27 21:35", language=language))
        for language in ("en", "de", "fr", "zh")
    }
    assert len({round(length / 40) for length in lengths.values()}) == len(lengths), lengths


async def test_chinese_comes_with_its_text() -> None:
    text = "厨房的灯已打开。"
    pieces = await speak(text, language="zh")
    assert "".join(piece.text for piece in pieces) == text
    assert ms(pieces) > 800


async def test_the_loop_is_not_woken_for_every_piece(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    woken = 0
    call_soon = loop.call_soon_threadsafe

    def counted(*what: Any, **more: Any) -> Any:
        nonlocal woken
        woken += 1
        return call_soon(*what, **more)

    monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
    pieces = await speak(LONG)
    assert "".join(piece.text for piece in pieces) == LONG
    assert woken < len(pieces) / 4

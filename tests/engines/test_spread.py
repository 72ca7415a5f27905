"""Which words are said in which piece of audio, of a voice that does not tell."""

from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airos_edge.engines.spread import Piece, at_once, spread
from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.ports import Speech


def sound(ms: float) -> AudioChunk:
    samples = samples_of(ms)
    return AudioChunk(b"".join((i % 30000).to_bytes(2, "little") for i in range(samples)))


async def pieces(*made: Piece) -> AsyncGenerator[Piece, None]:
    for piece in made:
        yield piece


async def spoken(sentence: str, *made: Piece, speed: float = 1.0) -> list[Speech]:
    return [speech async for speech in spread(sentence, pieces(*made), speed)]


def starts(speeches: list[Speech]) -> dict[str, int]:
    """Each text with the millisecond at which it begins."""
    place, found = 0.0, {}
    for speech in speeches:
        if speech.text:
            found[speech.text] = round(place)
        place += speech.chunk.ms
    return found


async def test_a_sentence_that_is_made_at_once_is_cut_where_its_words_begin() -> None:
    speeches = [speech async for speech in spread("One two three.", at_once(sound(1400)))]
    assert starts(speeches) == {"One ": 0, "two ": 400, "three.": 800}
    assert b"".join(speech.chunk.pcm for speech in speeches) == sound(1400).pcm


async def test_a_syllable_of_east_asia_and_a_digit_take_as_long_as_three_letters() -> None:
    assert starts(await spoken("abc 你好", (sound(1000), 1.0))) == {"abc ": 0, "你": 400, "好": 700}
    assert starts(await spoken("abc12", (sound(900), 1.0))) == {"abc": 0, "1": 300, "2": 600}


async def test_a_word_belongs_to_the_piece_in_which_it_begins() -> None:
    speeches = await spoken("aaaa bbbb cccc", (sound(700), 0.5), (sound(700), 1.0))
    assert starts(speeches) == {"aaaa ": 0, "bbbb ": 500, "cccc": 1000}


async def test_without_shares_it_goes_by_the_usual_pace_and_by_the_speed() -> None:
    made = [(sound(65 * 5), None), (sound(65 * 10), None)]
    assert starts(await spoken("aaaa bbbb cccc", *made)) == {"aaaa ": 0, "bbbb ": 325, "cccc": 650}
    fast = await spoken("aaaa bbbb cccc", *made, speed=2.0)
    assert starts(fast) == {"aaaa ": 0, "bbbb ": 162, "cccc": 325}


async def test_words_that_no_audio_is_left_for_come_with_a_little_silence() -> None:
    *_, last = await spoken("one two three four", (sound(200), None))
    assert last == Speech(AudioChunk(bytes(160)), "two three four")


async def test_what_made_no_sound_is_not_said() -> None:
    assert await spoken("one two") == []


async def test_leaving_early_closes_what_makes_the_audio() -> None:
    is_closed = False

    async def endless() -> AsyncGenerator[Piece, None]:
        nonlocal is_closed
        try:
            while True:
                yield sound(100), None
        finally:
            is_closed = True

    speeches = spread("one two three", endless())
    await anext(speeches)
    await speeches.aclose()
    assert is_closed


SENTENCES = st.text(st.sampled_from("ab, .!?10 \n你好。カé-'"), max_size=30)
MADE = st.lists(st.tuples(st.integers(1, 400), st.booleans()), min_size=1, max_size=5)


@given(SENTENCES, MADE)
async def test_joined_the_texts_are_the_sentence_and_the_pieces_the_audio(
    sentence: str, made: list[tuple[int, bool]]
) -> None:
    shares = [
        (sound(ms), (i + 1) / len(made) if known else None) for i, (ms, known) in enumerate(made)
    ]
    speeches = await spoken(sentence, *shares)
    assert "".join(speech.text for speech in speeches) == sentence
    whole = b"".join(audio.pcm for audio, _ in shares)
    assert b"".join(speech.chunk.pcm for speech in speeches)[: len(whole)] == whole
    assert not any(b"".join(speech.chunk.pcm for speech in speeches)[len(whole) :])


@pytest.mark.parametrize("sentence", ["", "   "])
async def test_a_sentence_without_words_keeps_its_audio(sentence: str) -> None:
    speeches = await spoken(sentence, (sound(100), 1.0))
    assert "".join(speech.text for speech in speeches) == sentence
    assert sum(speech.chunk.ms for speech in speeches) == 100

"""Text as it is written, to sentences worth speaking."""

from collections.abc import AsyncGenerator

import pytest

from airos_edge.voice.segment import sentences


async def written(pieces: list[str]) -> AsyncGenerator[str, None]:
    for piece in pieces:
        yield piece


async def cut(*pieces: str) -> list[str]:
    return [sentence async for sentence in sentences(written(list(pieces)))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The light is on now. It is late.", ["The light is on now.", " It is late."]),
        ("Is the light on? I think so!", ["Is the light on?", " I think so!"]),
        ("Wait a moment… I have it.", ["Wait a moment…", " I have it."]),
        ('He said "Good evening." Then he left.', ['He said "Good evening."', " Then he left."]),
        ("First this line\nthen that line", ["First this line\n", "then that line"]),
        ("今天下午三点二十分有会议。明天没有。", ["今天下午三点二十分有会议。", "明天没有。"]),
        ("今天的天气真的非常好吗？是的！", ["今天的天气真的非常好吗？", "是的！"]),
    ],
)
async def test_a_sentence_ends_where_it_ends(text: str, expected: list[str]) -> None:
    assert await cut(text) == expected
    assert await cut(*text) == expected, "sign by sign it is no different"


@pytest.mark.parametrize(
    "text",
    [
        "It is 21.5 degrees in the kitchen.",
        "Dr. Smith called.",
        "1. Boil the water for ten minutes.",
        "See example.org for the details.",
        "今天温度是21.5度左右。",
        "Yes. No. Maybe.",
    ],
)
async def test_what_only_looks_like_an_end(text: str) -> None:
    assert await cut(*text) == [text]


async def test_a_sentence_is_given_as_soon_as_it_has_ended() -> None:
    seen = []

    async def source() -> AsyncGenerator[str, None]:
        for piece in ("The light ", "is on now.", " It", " is late."):
            seen.append(piece)
            yield piece

    assert await anext(sentences(source())) == "The light is on now."
    assert seen == ["The light ", "is on now.", " It"]


async def test_a_closing_quote_belongs_to_its_sentence() -> None:
    text = "他说：「今天晚上八点半见面吧。」好的"
    assert await cut(text) == ["他说：「今天晚上八点半见面吧。」", "好的"]


async def test_joined_they_give_the_text_back() -> None:
    text = "One is not enough. Two, e.g. a pair, are. Three?! 四 is more。\n\nFive."
    assert "".join(await cut(*text)) == text


@pytest.mark.parametrize("text", ["", " ", "\n"])
async def test_nothing_is_no_sentence(text: str) -> None:
    assert await cut(text) == []

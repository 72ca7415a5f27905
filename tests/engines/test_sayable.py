"""Text as a model writes it, to sentences as somebody would say them."""

from collections.abc import AsyncGenerator

import pytest

from airos_edge.engines.sayable import sayable
from tests.phrases import CODE, TABLE


async def written(pieces: list[str]) -> AsyncGenerator[str, None]:
    for piece in pieces:
        yield piece


async def cut(*pieces: str) -> list[str]:
    return [sentence async for sentence in sayable(written(list(pieces)))]


SENTENCES = [
    ("The light is on now. It is late.", ["The light is on now.", " It is late."]),
    ("Is the light on? I think so!", ["Is the light on?", " I think so!"]),
    ("Wait a moment… I have it.", ["Wait a moment…", " I have it."]),
    ('He said "Good evening." Then he left.', ['He said "Good evening."', " Then he left."]),
    ("First this line\nthen that line", ["First this line", "\nthen that line"]),
    ("今天下午三点二十分有会议。明天没有。", ["今天下午三点二十分有会议。", "明天没有。"]),
    ("今天的天气真的好吗？是的！", ["今天的天气真的好吗？", "是的！"]),
    ("他说：「今天晚上见面吧。」好的", ["他说：「今天晚上见面吧。」", "好的"]),
    ("你好。Hello there. 再见。", ["你好。", "Hello there.", " 再见。"]),
    ("今天温度是21.5度左右。", ["今天温度是21.5度左右。"]),
    ("It is 21.5 degrees in here. Good.", ["It is 21.5 degrees in here.", " Good."]),
    ("Dr. Smith called. He is well.", ["Dr. Smith called.", " He is well."]),
    ("Some cities, e.g. Berlin, are loud.", ["Some cities, e.g. Berlin, are loud."]),
    ("It is 5 p.m. Good night.", ["It is 5 p.m. Good night."]),
    ("See example.org for the details.", ["See example.org for the details."]),
    ("Yes. No. Maybe.", ["Yes. No. Maybe."]),
]


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
async def test_a_sentence_ends_where_it_ends(text: str, expected: list[str]) -> None:
    assert await cut(text) == expected
    assert await cut(*text) == expected, "sign by sign it is no different"
    assert "".join(expected) == text, "joined, it is what was said"


PLAIN = [
    ("It is **very** late, *my dear*, ~~no~~ _yes_.", ["It is very late, my dear, no yes."]),
    ("***Really*** late. **All of. It** is.", ["Really late.", " All of.", " It is."]),
    ("The file_name_of `run()` and __init__", ["The file_name_of run() and init"]),
    ("It is 2 * 3 * 4 metres.", ["It is 2 × 3 × 4 metres."]),
    ("Read [the manual](https://x.org/a.html?b=c).", ["Read the manual."]),
    ("![A cat](cat.png) sits there.", ["A cat sits there."]),
    ("See https://www.example.org/a/b?c=1. It says so.", ["See example.org.", " It says so."]),
    ("(See <https://example.org/x>.)", ["(See example.org.)"]),
    ("Done 👍🏽! 👋 Bye 🇩🇪.", ["Done!", " Bye."]),
    ("Press 1️⃣ now ❤️", ["Press 1 now"]),
    ("# The plan\n\nGo.", ["The plan", "\nGo."]),
    ("- Milk\n* **Eggs**\n+ Tea", ["Milk", "\nEggs", "\nTea"]),
    ("- [ ] Milk\n- [x] Tea\n> - quoted", ["Milk", "\nTea", "\nquoted"]),
    ("1. Boil it. Wait.\n2) Eat.", ["1: Boil it.", " Wait.", "\n2: Eat."]),
    ("-5 degrees\n12", ["-5 degrees", "\n12"]),
    ("Look:\n```python\nprint('Hi. You')\n```\nNice.", ["Look:", f"\n{CODE}", "\nNice."]),
    ("```\nnever closed. So", [CODE]),
    ("```inline``` at the start", [CODE]),
    ("Here:\n| a | b |\n|---|---|\n| 1 | 2 |\nSo.", ["Here:", f"\n{TABLE}", "\nSo."]),
    ("One\n\n---\n\nTwo", ["One", "\nTwo"]),
    ("It is <b>bold</b><br>.", ["It is bold."]),
    ("It is <a href='https://x.org'>there</a>.<br />", ["It is there."]),
    ("Let a<b and c>d be so.", ["Let a<b and c>d be so."]),
]


@pytest.mark.parametrize(("text", "expected"), PLAIN)
async def test_what_cannot_be_said_is_not_said(text: str, expected: list[str]) -> None:
    assert await cut(text) == expected
    assert await cut(*text) == expected, "sign by sign it is no different"


@pytest.mark.parametrize("text", ["", " ", "\n", "👍", "**", "---\n", "```"])
async def test_nothing_to_say_is_no_sentence(text: str) -> None:
    assert await cut(*text) in ([], [CODE])


@pytest.mark.parametrize(
    ("pieces", "first"),
    [
        (["The light ", "is on.", " It", " is late."], 3),
        (["Here:\n", "- Milk\n", "- Tea"], 1),
        (["今天下午", "有会议。", "明天", "没有。"], 3),
        (["One ", "moment.\n", "I look."], 2),
    ],
)
async def test_a_sentence_is_given_as_soon_as_it_has_ended(pieces: list[str], first: int) -> None:
    """By the piece that shows that it has ended: the one after a full stop, or the end of the line."""
    seen = []

    async def source() -> AsyncGenerator[str, None]:
        for piece in pieces:
            seen.append(piece)
            yield piece

    await anext(sayable(source()))
    assert seen == pieces[:first]


async def test_a_long_text_takes_no_time_to_speak_of() -> None:
    """Each piece is looked at once, but for the sentence that goes on."""
    assert len(await cut(*["And so it goes on, and on. "] * 2000)) == 2000

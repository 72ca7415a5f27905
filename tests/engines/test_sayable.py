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


OF_LANGUAGES = [
    ("de", "Das kostet z. B. 5 Euro. Gut.", ["Das kostet z. B. 5 Euro.", " Gut."]),
    (
        "de",
        "Das heißt, d. h. jetzt, z.B. hier. Ja.",
        ["Das heißt, d. h. jetzt, z.B. hier.", " Ja."],
    ),
    ("de", "Küche bzw. Bad sind an. Gut.", ["Küche bzw. Bad sind an.", " Gut."]),
    ("de", "Lampe Nr. 5 ist aus. Gut.", ["Lampe Nr. 5 ist aus.", " Gut."]),
    ("de", "Am 3. Oktober ist frei. Ja.", ["Am 3. Oktober ist frei.", " Ja."]),
    ("de", "Es ist Samstag der 28. November 2026", ["Es ist Samstag der 28. November 2026"]),
    ("de", "Das war 2026. Heute nicht.", ["Das war 2026.", " Heute nicht."]),
    ("de", "Es sind 21,5. Das reicht.", ["Es sind 21,5.", " Das reicht."]),
    ("en", "It was the 3. Good.", ["It was the 3.", " Good."]),
    ("fr", "Quelle heure est-il ? Il est tard !", ["Quelle heure est-il ?", " Il est tard !"]),
    ("fr", "Il dort. « Oui ! » dit-elle. Bien.", ["Il dort.", " « Oui ! » dit-elle.", " Bien."]),
    ("fr", "Mme Dupont est là. Bien.", ["Mme Dupont est là.", " Bien."]),
    ("es", "¿Qué hora es? ¡Son las tres! Bien.", ["¿Qué hora es?", " ¡Son las tres!", " Bien."]),
    ("es", "Hola. ¿Cómo estás? Bien.", ["Hola.", " ¿Cómo estás?", " Bien."]),
    ("es", "La Sra. García llamó. Bien.", ["La Sra. García llamó.", " Bien."]),
    (
        "zh",
        "今天有会议。明天没有！真的？是的。",
        ["今天有会议。", "明天没有！", "真的？", "是的。"],
    ),
    ("ja", "今日は晴れです。本当？はい。", ["今日は晴れです。", "本当？", "はい。"]),
    ("hi", "मौसम अच्छा है। कल बारिश होगी। ठीक।", ["मौसम अच्छा है।", " कल बारिश होगी।", " ठीक।"]),
    ("ar", "مرحبا. كيف حالك؟ بخير.", ["مرحبا.", " كيف حالك؟", " بخير."]),
    ("nl", "Het is bijv. 5 uur. Goed.", ["Het is bijv. 5 uur.", " Goed."]),
    ("pl", "Jest np. 5 rano. Dobrze.", ["Jest np. 5 rano.", " Dobrze."]),
    ("it", "L'ing. Rossi è qui. Bene.", ["L'ing. Rossi è qui.", " Bene."]),
    ("ru", "Сегодня, т. е. сейчас. Хорошо.", ["Сегодня, т. е. сейчас.", " Хорошо."]),
]


@pytest.mark.parametrize(("language", "text", "expected"), OF_LANGUAGES)
async def test_a_sentence_ends_where_it_ends_in_its_language(
    language: str, text: str, expected: list[str]
) -> None:
    whole = [sentence async for sentence in sayable(written([text]), language)]
    by_sign = [sentence async for sentence in sayable(written([*text]), language)]
    assert whole == by_sign == expected
    assert "".join(expected) == text, "joined, it is what was said"


async def test_what_stands_for_code_is_said_in_the_language() -> None:
    text = ["Sieh:\n```\nx = 1\n```\n| a | b |\n|---|---|\n"]
    sentences = [sentence.strip() async for sentence in sayable(written(text), "de-AT")]
    assert sentences == ["Sieh:", "Ein Stück Programmcode.", "Eine Tabelle."]


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

"""How names and numbers are said: "TV-2" is said "tv two", and heard so."""

import re
import unicodedata

LETTER = "[a-zß-öø-ɏ]"
"""The Latin letters, accents included: those that an English voice reads as a word."""
WORD = re.compile(f"{LETTER}(?:{LETTER}|')*")
"""What can be said as a word; "%" and "卧室" are written, never spoken here."""
ORDINALS = {
    **{"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth"},
    **{"6th": "sixth", "7th": "seventh", "8th": "eighth", "9th": "ninth", "10th": "tenth"},
}
PART = re.compile(rf"\b(?:{'|'.join(ORDINALS)})\b|{LETTER}+(?:'{LETTER}+)*|\d+|&|[^\W\d_]+")
"""What of a name is said: words, numbers, "and"; its punctuation is not."""


def forms(name: str) -> tuple[str, ...]:
    """How a name may be written or heard: as it is, without its punctuation, and as it is said."""
    return tuple(dict.fromkeys((name, " ".join(_parts(name)), said(name))))


def said(name: str) -> str:
    """The words that a name is said with, in lower case; "" if there are none."""
    return " ".join(_words(part) for part in _parts(name))


def can_be_said(name: str) -> bool:
    words = said(name).split()
    return bool(words) and all(WORD.fullmatch(word) for word in words)


def number_words(number: int) -> str:
    """ "twenty five", as it is spoken: without hyphens. Up to 999."""
    if number < 0:
        return f"minus {number_words(-number)}"
    if number < 20:
        return _SMALL[number]
    if number < 100:
        tens = _TENS[number // 10]
        return f"{tens} {_SMALL[number % 10]}" if number % 10 else tens
    hundreds = f"{_SMALL[number // 100]} hundred"
    rest = number % 100
    return f"{hundreds} {number_words(rest)}" if rest else hundreds


def _parts(name: str) -> list[str]:
    return PART.findall(unicodedata.normalize("NFC", name.lower()).replace("’", "'"))


def _words(part: str) -> str:
    if not part.isdecimal():
        return "and" if part == "&" else ORDINALS.get(part, part)
    # A long number in a name is a number of something: it is read out, "two zero two four".
    return number_words(int(part)) if len(part) < 3 else " ".join(_SMALL[int(d)] for d in part)


_SMALL = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
]
_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

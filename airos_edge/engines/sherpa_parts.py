"""Texts in parts that a voice can say: Kokoro's library ends the process at one of some 500 sounds."""

from collections.abc import Iterator

LONGEST = 300
"""In letters. The shortest that a known model takes is 400 sounds."""
LONG_LETTERS = 4
"""What a digit, or a sign of East Asia, is spoken in."""
FIRST_SIGN = "\u2e80"


def parts(text: str) -> Iterator[str]:
    """Joined, they are the text. It is parted after a space or a mark where there is one."""
    start = gap = letters = 0
    for place, char in enumerate(text, 1):
        letters += _letters(char)
        if not char.isalnum():
            gap = place
        if letters >= LONGEST:
            end = gap if gap > start else place
            yield text[start:end]
            start, letters = end, sum(map(_letters, text[end:place]))
    if start < len(text):
        yield text[start:]


def _letters(char: str) -> int:
    return LONG_LETTERS if char >= FIRST_SIGN or char.isdigit() else 1

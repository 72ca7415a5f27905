"""Text as it is written, to sentences worth speaking."""

import re
from collections.abc import AsyncGenerator, AsyncIterable

END_OF_SENTENCE = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[」』”’）]*|\n+")
"""A full stop ends a sentence only before a space, which "3.5" and "example.org" do not have."""
SHORTEST = 12
"""Fewer characters than this are no sentence yet: "Dr." and "1." wait for what follows."""


async def sentences(text: AsyncIterable[str]) -> AsyncGenerator[str, None]:
    """Each sentence as soon as it has ended, the rest at the end. Joined, they give the text back."""
    waiting = ""
    async for piece in text:
        waiting += piece
        start = 0
        for end in END_OF_SENTENCE.finditer(waiting):
            if end.end() - start >= SHORTEST:
                yield waiting[start : end.end()]
                start = end.end()
        waiting = waiting[start:]
    if waiting.strip():
        yield waiting

"""What sherpa-onnx's models write, as it is read: without tags, in lower case, Chinese without spaces."""

import re

TAG = re.compile(r"<\|[^|>]*\|>")
"""SenseVoice's: language, mood, event, whether numbers were written as such."""
SIGN = r"[\u3001-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]"
BETWEEN_SIGNS = re.compile(rf"(?<={SIGN})\s+(?={SIGN})")
SPACE_BEFORE_MARK = re.compile(r"\s+(?=[,.!?;:])")


def tidy(text: str) -> str:
    """ "" where nothing but marks was heard. Models that write only capitals have been taught no others."""
    said = " ".join(TAG.sub(" ", text).split())
    said = SPACE_BEFORE_MARK.sub("", BETWEEN_SIGNS.sub("", said))
    if not any(char.isalnum() for char in said):
        return ""
    return said.lower() if said == said.upper() else said


def language_of(told: str) -> str | None:
    """ "<|zh|>" as "zh"; None where it tells none, or that nobody spoke."""
    found = told.strip().strip("<|>").lower()
    return found if re.fullmatch(r"[a-z]{2,3}", found) else None


def is_no_speech(told: str) -> bool:
    return "nospeech" in told.lower()

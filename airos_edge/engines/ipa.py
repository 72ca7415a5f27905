"""How a text sounds, in the letters of the IPA and with its marks: what voices that were made with
espeak-ng's pronunciation are given, each sentence as its own.

As piper_phonemize writes it, which such voices have learned (OHF-Voice/piper1-gpl, phonemize_espeak.py):
a mark after its clause, a space after one within the sentence, accents as letters of their own.
"""

import re
import unicodedata

from airos_edge.engines.espeak import load

WIDE = str.maketrans("，、；：。．！？…", ",,;:..!?.")
CLAUSE = re.compile(r"(.+?)([,;:.!?]+)(?=\s|$|[^\x00-\x7f])|(.+)", re.DOTALL)
"""A mark ends a clause before a space: not in 10:30, nor in 3.5."""
LANGUAGE_SWITCH = re.compile(r"\([^)]*\)")
"""espeak-ng says so where it reads a word as one of another language: "(en)"."""


def ipa(text: str, voice: str) -> list[str]:
    """Of each sentence. Raises EngineError for a voice that espeak-ng does not have."""
    espeak = load()
    sentences, sentence = [], ""
    for clause, marks, rest in CLAUSE.findall(text.translate(WIDE)):
        sounds = LANGUAGE_SWITCH.sub("", espeak.ipa((clause or rest).strip(), voice)).strip()
        if not sounds:
            continue
        sentence += unicodedata.normalize("NFD", sounds) + marks[:1]
        if marks[:1] in (".", "!", "?"):
            sentences.append(sentence)
            sentence = ""
        else:
            sentence += " "
    return [*sentences, sentence.strip()] if sentence.strip() else sentences

"""How a word sounds that no dictionary has: espeak-ng says it, in the letters of the CMU dictionary."""

from airos_edge.engines.espeak import load

AMERICAN, BRITISH = "en-us", "en-gb"
BRITISH_PHONES = {
    # What a British speaker says otherwise than the letters below have it: no "r" but before a vowel.
    "aI@": "AY AH",
    "aU@": "AW AH",
    "i@": "IH AH",
    "I@": "IH AH",
    "e@": "EH AH",
    "U@": "UH AH",
    "A@": "AA",
    "O@": "AO",
    "o@": "AO",
    "@U": "OW",
    "0": "AO",
    "3:": "AH",
}
PHONES = {
    # espeak-ng's American vowels and diphthongs (its docs/phonemes.md) as the CMU dictionary's.
    "aI@3": "AY ER",
    "aI@": "AY ER",
    "aU@": "AW ER",
    "i@3": "IH R",
    "A@": "AA R",
    "O@": "AO R",
    "o@": "AO R",
    "e@": "EH R",
    "i@": "IY AH",
    "U@": "UH R",
    "@L": "AH L",
    "aI": "AY",
    "aU": "AW",
    "eI": "EY",
    "OI": "OY",
    "oU": "OW",
    "A:": "AA",
    "O:": "AO",
    "i:": "IY",
    "u:": "UW",
    "3:": "ER",
    "I2": "IH",
    "I#": "IH",
    "E2": "EH",
    "E#": "EH",
    "a#": "AH",
    "@2": "AH",
    "@5": "AH",
    "aa": "AE",
    "a": "AE",
    "A": "AA",
    "0": "AA",
    "O": "AO",
    "o": "OW",
    "E": "EH",
    "e": "EH",
    "I": "IH",
    "i": "IY",
    "U": "UH",
    "u": "UW",
    "V": "AH",
    "@": "AH",
    "3": "ER",
    # its consonants
    "tS": "CH",
    "dZ": "JH",
    "t#": "T",
    "n-": "AH N",
    "T": "TH",
    "D": "DH",
    "S": "SH",
    "Z": "ZH",
    "N": "NG",
    "h": "HH",
    "j": "Y",
    "x": "K",
    "C": "SH",
    **{letter: letter.upper() for letter in "pbtdkgfvszmnlrw"},
}
LONGEST = max(map(len, PHONES))


def pronounce(word: str, accent: str = AMERICAN) -> str:
    """The phones of an English word or name, such as "K IH CH AH N"; "" if it has no sound.

    Raises EngineError as espeak-ng does.
    """
    spoken = load().phonemes(word, accent)
    known = PHONES | BRITISH_PHONES if accent == BRITISH else PHONES
    phones: list[str] = []
    place = 0
    while place < len(spoken):
        for length in range(LONGEST, 0, -1):
            phone = known.get(spoken[place : place + length])
            if phone is not None:
                phones.append(phone)
                break
        else:
            length = 1  # a stress mark, or a sound that English does not have
        place += length
    return " ".join(phones)

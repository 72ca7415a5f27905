"""The wake word at the beginning of a text: a recogniser of any words writes it too."""


def without(wake_word: str | None, text: str) -> str:
    """The text without the wake word, or its last words, that it begins with: "jarvis, what time is it"."""
    words, said = (wake_word or "").split("_"), text.split()
    for start in range(len(words)):
        first = [word.strip(".,!?").lower() for word in said[: len(words) - start]]
        if first == words[start:]:
            return " ".join(said[len(first) :])
    return text

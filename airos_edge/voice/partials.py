"""A transcript that still grows, for those who cannot take back what they have told."""

from itertools import takewhile


class Partials:
    """What of a transcript that still grows is told before its end, where nothing can be taken back: the
    words on which two partials in a row agree. No recogniser promises more; the transcript counts."""

    def __init__(self) -> None:
        self._told = self._before = ""

    def next(self, partial: str) -> str:
        """What to tell now, after this partial."""
        pairs = zip(self._before.split(" "), partial.split(" "), strict=False)
        agreed = " ".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        self._before = partial
        return self._on(agreed)

    def rest(self, final: str) -> str:
        """What is left to tell at the end; nothing where the transcript turned out otherwise."""
        return self._on(final)

    def _on(self, text: str) -> str:
        if not text.startswith(self._told):
            return ""
        delta, self._told = text[len(self._told) :], text
        return delta

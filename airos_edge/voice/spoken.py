"""Which words of an item are said when, and how many of them were heard."""

from dataclasses import dataclass, field, replace

ROUNDING_MS = 1.0
"""Who says how much was heard says it in whole milliseconds."""
FIRST_IDEOGRAPH = "\u2e80"
"""From here on the signs of East Asia, which are written without spaces."""


@dataclass(frozen=True, slots=True)
class Span:
    """`text` is said from `start_ms` to `end_ms` of an item's speech."""

    start_ms: float
    end_ms: float
    text: str


@dataclass(slots=True)
class Spoken:
    """The speech of one item. How much of it was heard is reckoned by who sends it, and known by who plays
    it: what is known counts, however much was reckoned. Either can only become less."""

    spans: list[Span] = field(default_factory=list)
    reckoned_ms: float | None = None
    known_ms: float | None = None

    @property
    def ms(self) -> float:
        """How much was said, heard or not."""
        return self.spans[-1].end_ms if self.spans else 0.0

    @property
    def heard_ms(self) -> float | None:
        """None: it was not cut."""
        return self.reckoned_ms if self.known_ms is None else self.known_ms

    def say(self, text: str, ms: float) -> None:
        """The next `ms`, and the text that begins in them."""
        start_ms = self.ms
        if self.spans and not text:
            self.spans[-1] = replace(self.spans[-1], end_ms=start_ms + ms)
        else:
            self.spans.append(Span(start_ms, start_ms + ms, text))

    def cut(self, ms: float, is_known: bool) -> str:
        """Gives the words that are left, which are whole: of a span that was cut, as many as its share of
        the time."""
        if is_known:
            self.known_ms = _less(self.known_ms, ms)
        else:
            self.reckoned_ms = _less(self.reckoned_ms, ms)
        end_ms = self.heard_ms or 0.0
        return "".join(_heard_of(span, end_ms) for span in self.spans).rstrip()


def _less(before: float | None, ms: float) -> float:
    return ms if before is None else min(before, ms)


def _heard_of(span: Span, end_ms: float) -> str:
    if span.end_ms < end_ms + ROUNDING_MS:
        return span.text
    if span.start_ms >= end_ms:
        return ""
    share = (end_ms - span.start_ms) / (span.end_ms - span.start_ms)
    return _first_words(span.text, share)


def _first_words(text: str, share: float) -> str:
    """The words that are over when `share` of the characters have been said."""
    end = int(len(text) * share)
    while 0 < end < len(text) and _is_one_word(text[end - 1], text[end]):
        end -= 1
    return text[:end]


def _is_one_word(left: str, right: str) -> bool:
    return not any(char.isspace() or char >= FIRST_IDEOGRAPH for char in (left, right))

"""What was said, by id, and of what was spoken: how much was heard."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]
Kind = Literal["message", "function_call", "function_call_output", "approval_request"]
ROOT = "root"
"""As `after`: the front of the history."""
ROUNDING_MS = 1.0
"""Who says how much was heard says it in whole milliseconds."""
FIRST_IDEOGRAPH = "\u2e80"
"""From here on the signs of East Asia, which are written without spaces."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing said, called or answered. `text` is what a responder reads.

    `text` None: a recording whose transcript is not known (yet). `alternatives` and `sure` are those
    of the transcript (`ports.Transcript`). The status says nothing to a responder, so prompts are
    compared without it.
    """

    id: str
    role: Role | None = None
    text: str | None = None
    kind: Kind = "message"
    spoken: bool = False
    """Was, or is to be, sound: a recording of the user or speech of the assistant."""
    name: str | None = None
    arguments: str | None = None
    call_id: str | None = None
    alternatives: tuple[str, ...] = ()
    sure: bool = True
    status: str = field(default="completed", compare=False)


@dataclass(frozen=True, slots=True)
class Span:
    """`text` is said from `start_ms` to `end_ms` of an item's speech."""

    start_ms: float
    end_ms: float
    text: str


class UnknownItem(KeyError):
    """No item of this history has the id."""


class DuplicateItem(KeyError):
    """An item of this history has the id already."""


class History:
    """The items of one conversation in their order. Nothing here waits; whoever changes it tells of it."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._spans: dict[str, list[Span]] = {}
        self._cut: set[str] = set()

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._items

    def get(self, item_id: str) -> Item:
        """Raises UnknownItem."""
        try:
            return self._items[item_id]
        except KeyError:
            raise UnknownItem(item_id) from None

    def last_id(self) -> str | None:
        return next(reversed(self._items), None)

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Puts the item at the end, or after an id, or at the front (`ROOT`); gives the id before it.

        Raises DuplicateItem, UnknownItem (of `after`).
        """
        if item.id in self._items:
            raise DuplicateItem(item.id)
        if after is None:
            after = self.last_id() or ROOT
        if after != ROOT:
            self.get(after)
        order: dict[str, Item] = {item.id: item} if after == ROOT else {}
        for known_id, known in self._items.items():
            order[known_id] = known
            if known_id == after:
                order[item.id] = item
        self._items = order
        return None if after == ROOT else after

    def change(self, item_id: str, **fields: Any) -> Item:
        """Replaces fields of an item. Raises UnknownItem."""
        self._items[item_id] = item = replace(self.get(item_id), **fields)
        return item

    def delete(self, item_id: str) -> None:
        """Raises UnknownItem."""
        self.get(item_id)
        del self._items[item_id]
        self._spans.pop(item_id, None)

    def say(self, item_id: str, text: str, ms: float) -> bool:
        """The next `ms` of the item's speech, and the text that begins in them.

        False, and ignored, for an item that was deleted or cut while it was still being spoken.
        """
        if item_id not in self._items or item_id in self._cut:
            return False
        spans = self._spans.setdefault(item_id, [])
        start_ms = spans[-1].end_ms if spans else 0.0
        if spans and not text:
            spans[-1] = replace(spans[-1], end_ms=start_ms + ms)
        else:
            spans.append(Span(start_ms, start_ms + ms, text))
        self.change(item_id, text=(self._items[item_id].text or "") + text)
        return True

    def spoken_ms(self, item_id: str) -> float:
        """How much speech the item has, in milliseconds; 0 for what was never spoken."""
        spans = self._spans.get(item_id)
        return spans[-1].end_ms if spans else 0.0

    def heard(self, item_id: str, ms: float) -> str:
        """Cuts a spoken item to what was heard in its first `ms`; gives the text that is left.

        Whole words only: of a span that was cut, as many as its share of the time. The cut can
        only shorten: a later call with more does not bring words back. Raises UnknownItem.
        """
        item = self.get(item_id)
        spans = self._spans.get(item_id, [])
        kept: list[Span] = []
        for span in spans:
            if span.end_ms < ms + ROUNDING_MS:
                kept.append(span)
                continue
            if span.start_ms < ms:
                share = (ms - span.start_ms) / (span.end_ms - span.start_ms)
                kept.append(Span(span.start_ms, ms, _first_words(span.text, share)))
            break
        if item.spoken:
            self._cut.add(item_id)
            self._spans[item_id] = kept
            item = self.change(item_id, text="".join(span.text for span in kept).rstrip())
        return item.text or ""


def _first_words(text: str, share: float) -> str:
    """The words that are over when `share` of the characters have been said."""
    end = int(len(text) * share)
    while 0 < end < len(text) and _is_one_word(text[end - 1], text[end]):
        end -= 1
    return text[:end]


def _is_one_word(left: str, right: str) -> bool:
    return not any(char.isspace() or char >= FIRST_IDEOGRAPH for char in (left, right))

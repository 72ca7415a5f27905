"""What was said, by id, and of what was spoken: how much was heard."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.place import Place
from airos_edge.voice.recordings import LONGEST_MS, Recordings
from airos_edge.voice.spoken import Spoken

Role = Literal["system", "user", "assistant"]
Kind = Literal[
    "message",
    "function_call",
    "function_call_output",
    "mcp_list_tools",
    "mcp_call",
    "approval_request",
    "approval_response",
]
ROOT = "root"
"""As `after`: the front of the history."""
MOST_ITEMS = 1000
MOST_CHARACTERS = 8 * 1024 * 1024
"""Of text, arguments and pictures (as data URIs). A day of talk has some hundred thousand."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of several that a message is made of. `text` None: a recording whose transcript is not known
    (yet). `url` is a picture as a data URI."""

    kind: Literal["text", "audio", "image"]
    text: str | None = ""
    url: str = ""
    detail: str = "auto"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a tool of a server, or the server, failed: in MCP, below it (its HTTP status is the code), or itself."""

    message: str
    kind: Literal["protocol_error", "http_error", "tool_execution_error"] = "tool_execution_error"
    code: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One thing said, called or answered. `text` is what a responder reads.

    `text` None: a recording whose transcript is not known (yet). `alternatives`, `sure` and `language` are
    those of the transcript (`ports.Transcript`). `parts`: of a message that is more than one text or one
    recording; `text` has the words of all of them. The status says nothing to a responder, so prompts
    are compared without it.
    """

    id: str
    role: Role | None = None
    text: str | None = None
    kind: Kind = "message"
    spoken: bool = False
    """Was, or is to be, sound: a recording of the user or speech of the assistant."""
    went: Place | None = field(default=None, compare=False)
    """How far a recording went to be heard, where its transcript tells it."""
    name: str | None = None
    arguments: str | None = None
    call_id: str | None = None
    server: str | None = None
    """Whose tool it is, by the client's name for the server: what is below is of such items."""
    tool: str | None = None
    """The server's own name for it; `name` is what models call it."""
    tools: tuple[Mapping[str, Any], ...] = ()
    """As the server has described them."""
    fault: Fault | None = None
    concerns: str | None = None
    """The id of another item: of a request, the call that it is for; of an answer, and of a call, the request."""
    approved: bool | None = None
    alternatives: tuple[str, ...] = ()
    sure: bool = True
    language: str | None = None
    """That it was heard in, one of those that are spoken here; None: who heard it cannot tell."""
    parts: tuple[Part, ...] = ()
    status: str = field(default="completed", compare=False)

    @property
    def pictures(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.kind == "image")

    @property
    def characters(self) -> int:
        """How much it takes to keep."""
        pictures = sum(len(part.url) for part in self.parts)
        return len(self.text or "") + len(self.arguments or "") + pictures


def words_of(parts: tuple[Part, ...]) -> str | None:
    """What a message says that is made of them; None while one of them is not known."""
    texts = [part.text for part in parts if part.kind != "image"]
    return None if None in texts else "\n".join(text for text in texts if text)


class UnknownItem(KeyError):
    """No item of this history has the id."""


class DuplicateItem(KeyError):
    """An item of this history has the id already."""


class History:
    """The items of one conversation in their order. Nothing here waits; whoever changes it tells of it."""

    def __init__(self) -> None:
        self.recordings = Recordings()
        self._items: dict[str, Item] = {}
        self._spoken: dict[str, Spoken] = {}
        self._characters = 0

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

    def oldest_too_many(self) -> str | None:
        """What is to be deleted first for the history to be within its bounds; None: it is."""
        is_full = len(self._items) > MOST_ITEMS or self._characters > MOST_CHARACTERS
        whole = (item.id for item in self if item.status != "in_progress")
        return next(whole, None) if is_full and len(self._items) > 1 else None

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Puts the item at the end, or after an id, or at the front (`ROOT`); gives the id before it.

        Raises DuplicateItem, UnknownItem (of `after`).
        """
        if item.id in self._items:
            raise DuplicateItem(item.id)
        last_id = self.last_id()
        if after is None:
            after = last_id or ROOT
        if after != ROOT:
            self.get(after)
        behind = [] if after == last_id else list(self._items.values())
        if after != ROOT and behind:
            behind = behind[list(self._items).index(after) + 1 :]
        for other in behind:
            del self._items[other.id]
        self._items.update({one.id: one for one in (item, *behind)})
        self._characters += item.characters
        return None if after == ROOT else after

    def change(self, item_id: str, **fields: Any) -> Item:
        """Replaces fields of an item. Raises UnknownItem."""
        before = self.get(item_id)
        self._items[item_id] = item = replace(before, **fields)
        self._characters += item.characters - before.characters
        return item

    def put(self, item: Item) -> None:
        """In the place of the one that has its id. Raises UnknownItem."""
        self._characters += item.characters - self.get(item.id).characters
        self._items[item.id] = item

    def delete(self, item_id: str) -> None:
        """Raises UnknownItem."""
        self._characters -= self.get(item_id).characters
        del self._items[item_id]
        self._spoken.pop(item_id, None)
        self.recordings.forget(item_id)

    # ---- speech -----------------------------------------------------------------------------------

    def say(self, item_id: str, text: str, ms: float, sound: AudioChunk | None = None) -> bool:
        """The next `ms` of the item's speech, the text that begins in them, and what is heard then.

        False, and ignored, for an item that was deleted or cut while it was still being spoken.
        """
        if item_id not in self._items:
            return False
        spoken = self._spoken.setdefault(item_id, Spoken())
        if spoken.heard_ms is not None:
            return False
        spoken.say(text, ms)
        if sound is not None:
            self.recordings.add(item_id, sound)
        self.change(item_id, text=(self._items[item_id].text or "") + text)
        return True

    def spoken_ms(self, item_id: str) -> float:
        """How much speech the item has, heard or not; 0 for what was never spoken."""
        return self._spoken[item_id].ms if item_id in self._spoken else 0.0

    def heard(self, item_id: str, ms: float, is_known: bool = False) -> str:
        """Cuts a spoken item to what was heard in its first `ms`; gives the text that is left.

        Whole words only. `is_known`: who played it says so, which counts for more than what was reckoned.
        The cut can only shorten what was so cut before. Raises UnknownItem.
        """
        item = self.get(item_id)
        if item.spoken:
            text = self._spoken.setdefault(item_id, Spoken()).cut(ms, is_known)
            item = self.change(item_id, text=text)
        return item.text or ""

    def sound(self, item_id: str) -> Iterator[AudioChunk]:
        """What was heard of the item, as far as its sound is kept."""
        spoken = self._spoken.get(item_id)
        heard_ms = LONGEST_MS if spoken is None or spoken.heard_ms is None else spoken.heard_ms
        return self.recordings.of(item_id, heard_ms)

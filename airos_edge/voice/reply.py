"""One reply as the history and the face see it: told in order, and ended exactly once, whoever ends it."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from airos_edge.errors import AirosError
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.events import (
    Event,
    ItemEnded,
    ItemStarted,
    Outcome,
    ReplyEnded,
    ReplyStarted,
    TextSaid,
)
from airos_edge.voice.floor import FloorMouth
from airos_edge.voice.history import Fault, History, Item, Kind
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Call, Done, Left, Place, Prompt


class Reply:
    """Nothing is told and nothing is written to the history before `commit`, which who fills it waits
    for, nor after the end.

    So a draft may be thrown away by cancelling its task, and what an engine still says after it
    was cancelled goes nowhere.
    """

    def __init__(
        self,
        reply_id: str,
        prompt: Prompt,
        history: History,
        tell: Callable[[Event], None],
        apart: bool = False,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self.id = reply_id
        self.prompt = prompt
        self.committed = asyncio.Event()
        self.ended = asyncio.Event()
        self.mouth: FloorMouth | None = None
        self.outcome: Outcome | None = None
        self.stamps: dict[str, float] = {}
        self.calls: list[Call] = []
        """Those that are still to be told or made."""
        self.done: Done | None = None
        self.failure: AirosError | None = None
        self.language = prompt.question_language
        """Of what is said, as far as it is known by then: that of the question, until who answers tells it."""
        self._since = asyncio.get_running_loop().time()
        self._committed_at: float | None = None
        self._asked_at = self._since
        self.furthest = Place.LOCAL
        self._history = history
        self._tell = tell
        self.apart = apart
        self._metadata = metadata
        self._items: list[tuple[Item, str | None]] = []
        self._open_item: str | None = None

    def commit(self, since: float | None = None) -> None:
        """Opens the gate. `since`: the loop time from which the stages' milliseconds count."""
        if since is not None:
            self._since = since
        if not self.committed.is_set() and self.outcome is None:
            self._committed_at = asyncio.get_running_loop().time()
            self.committed.set()
            self._tell(
                ReplyStarted(
                    reply_id=self.id, prompt=self.prompt, apart=self.apart, metadata=self._metadata
                )
            )

    def waits_since(self) -> float | None:
        """The loop time of the commit, or of when somebody was asked after it; None before it."""
        if self._committed_at is None:
            return None
        return max(self._committed_at, self._asked_at)

    def goes(self, place: Place) -> None:
        """Something of this turn goes so far, whatever comes of it: `Outcome.left` tells of it."""
        self._asked_at = asyncio.get_running_loop().time()
        self.furthest = max(self.furthest, place)

    def stamp(self, stage: str, at: float | None = None) -> None:
        """The stage ended at this loop time, or now; only the first time counts."""
        self.stamps.setdefault(stage, asyncio.get_running_loop().time() if at is None else at)

    @property
    def output_index(self) -> int:
        """The place of the newest item among those of the reply."""
        return len(self._items) - 1

    @property
    def is_cut_short(self) -> bool:
        """By how much its responder was allowed to say."""
        return self.done is not None and self.done.why == "max_tokens"

    def begin_message(self) -> str:
        """The message that `say` adds to; the same one until it is ended. Gives its id."""
        if self._open_item is not None:
            return self._open_item
        item = Item(
            new_id("item"),
            role="assistant",
            text="",
            spoken=self.prompt.speaking is not None,
            status="in_progress",
        )
        self._start(item)
        self._open_item = item.id
        return item.id

    def say(self, text: str, sound: AudioChunk | None = None) -> None:
        """The next words of the message, and their sound. Nothing, once it was deleted or cut."""
        if self.outcome is not None:
            return
        item_id = self.begin_message()
        if not self._history.say(item_id, text, sound.ms if sound else 0.0, sound):
            return
        item = self._change_last(text=(self._items[-1][0].text or "") + text)
        if text:
            self._tell(
                TextSaid(
                    reply_id=self.id,
                    item_id=item_id,
                    output_index=self.output_index,
                    text=text,
                    spoken=item.spoken,
                )
            )

    def call(self, call: Call) -> None:
        """A call that is not ours to make, or not yet; it ends the reply."""
        if self.outcome is not None:
            return
        self.end_message()
        kind: Kind = "approval_request" if call.waits_for_yes else "function_call"
        item = _item_of(call, kind)
        if call.served is not None:  # who is asked is shown the call, which begins only after a yes
            shown = replace(_item_of(call, "mcp_call"), call_id=item.call_id, concerns=item.id)
            item = replace(item, concerns=shown.id)
            self._show(shown)
        self._start(item)
        self._end_item("completed")

    def silence(self, item_id: str) -> None:
        """Nothing more is heard of the item, if it is being spoken; the reply goes on without a sound."""
        if self.mouth is not None and self._open_item == item_id:
            self.mouth.hush()

    def begin_call(self, call: Call) -> None:
        """A call that is ours to make, and is about to be made."""
        if self.outcome is None:
            self.end_message()
            item = _item_of(call, "mcp_call")
            self._start(item)
            self._open_item = item.id

    def end_call(self, result: str | None, fault: Fault | None = None) -> None:
        """What came of it."""
        if self.outcome is None:
            self._open_item = None
            self._end_item("completed", text=result, fault=fault)

    def end_message(self) -> None:
        self._end_open("incomplete" if self.is_cut_short else "completed")

    def _end_open(self, status: str) -> None:
        if self._open_item is not None:
            self._open_item = None
            self._end_item(status)

    def end(self, outcome: Outcome) -> None:
        """Ends what is open and the reply. Only the first end counts; a draft ends without a word.

        What is still being spoken is hushed at once, and remembered as far as it was heard.
        """
        if self.outcome is not None:
            return
        if self.mouth is not None and self._open_item is not None:
            heard_ms = self.mouth.hush()
            if self._open_item in self._history:
                self._history.heard(self._open_item, heard_ms)
        if self.committed.is_set():
            self._end_open("completed" if outcome.status == "completed" else "incomplete")
            if outcome.status == "cancelled":  # a yes may have been said over its question
                for call in self.calls:
                    if call.waits_for_yes:
                        self.call(call)
        self.outcome = self._whole(outcome)
        self.ended.set()
        if self.committed.is_set():
            self._tell(
                ReplyEnded(
                    reply_id=self.id,
                    prompt=self.prompt,
                    outcome=self.outcome,
                    apart=self.apart,
                    metadata=self._metadata,
                )
            )
        self.committed.set()  # an engine that outlives its draft is not kept waiting

    def _start(self, item: Item) -> None:
        self._items.append((item, self._history.add(item)))
        self._tell(ItemStarted(item=item, **self._place(self.apart)))

    def _end_item(self, status: str, **fields: Any) -> None:
        item = self._change_last(status=status, **fields)
        if item.id in self._history:
            self._history.change(item.id, status=status, **fields)
        self._tell(ItemEnded(item=item, **self._place(self.apart)))

    def _show(self, item: Item) -> None:
        """An item of the reply that is none of the history, or not yet."""
        self._items.append((item, None))
        self._tell(ItemStarted(item=item, **self._place(apart=True)))
        self._tell(ItemEnded(item=item, **self._place(apart=True)))

    def _place(self, apart: bool) -> dict[str, Any]:
        """Where the newest item is."""
        return {
            "reply_id": self.id,
            "previous_id": self._items[-1][1],
            "output_index": self.output_index,
            "apart": apart,
        }

    def _change_last(self, **fields: Any) -> Item:
        item, previous_id = self._items[-1]
        item = replace(item, **fields)
        self._items[-1] = (item, previous_id)
        return item

    def _whole(self, outcome: Outcome) -> Outcome:
        done = self.done or Done(tier=outcome.tier or "")
        items = tuple(item for item, _ in self._items)
        return replace(
            outcome,
            text="".join(item.text or "" for item in items if item.kind == "message"),
            tier=done.tier or None,
            intent=done.intent,
            slots=done.slots,
            left=Left.of(self.furthest),
            expects=done.expects,
            declined=done.declined,
            items=items,
            input_tokens=done.input_tokens,
            output_tokens=done.output_tokens,
            cached_tokens=done.cached_tokens,
            stages_ms={
                stage: round((at - self._since) * 1000, 1) for stage, at in self.stamps.items()
            },
        )


def _item_of(call: Call, kind: Kind) -> Item:
    served = call.served
    return Item(
        new_id("item"),
        kind=kind,
        name=call.name,
        arguments=json.dumps(dict(call.arguments)),
        call_id=call.call_id or new_id("call"),
        server=served.label if served else None,
        tool=served.tool if served else None,
        status="in_progress",
    )

"""`airos talk`, as what a client knows of its conversation: server events in, what is shown and sent out."""

import asyncio
import base64
import binascii
import time
from collections.abc import Callable, Mapping
from typing import Any

from airos_edge.cli.talking.player import Player
from airos_edge.cli.talking.screen import Screen
from airos_edge.cli.talking.stopwatch import Stopwatch
from airos_edge.errors import DaemonError
from airos_edge.voice.audio import BYTES_PER_SAMPLE

Event = Mapping[str, Any]
YOU, BOX = "You", "Airos"


class Dialogue:
    """It does no I/O but what `screen` and `player` do. `take` gives what is to be sent because of an event."""

    def __init__(
        self, screen: Screen, player: Player, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.sent_ms = 0.0
        """How much sound was sent."""
        self.is_spoken_to = False
        """Whether the server hears speech now."""
        self.running: set[str] = set()
        """Responses that have not ended."""
        self.ended = 0
        """How many have."""
        self.approvals: dict[str, Event] = {}
        """Calls that wait for a yes, by their id, oldest first."""
        self.is_configured = False
        self._screen = screen
        self._player = player
        self._stopwatch = Stopwatch(clock)
        self._spelled: set[str] = set()
        """Recordings of which words were shown before their transcript was whole."""
        self._answered: set[str] = set()
        self._changed = asyncio.Event()

    def take(self, event: Event) -> list[Event]:
        """Raises DaemonError for an event that is not as the API has it."""
        handle = HANDLERS.get(event["type"])
        try:
            answer = handle(self, event) if handle is not None else None
        except (KeyError, TypeError, AttributeError) as error:
            why = "which is not as the Realtime API has it"
            raise DaemonError(f"the server sent {event['type']}, {why}") from error
        self._changed.set()
        self._changed = asyncio.Event()
        return answer or []

    async def until(self, is_so: Callable[[], bool], limit_s: float) -> bool:
        """Waits for events that make it so. False: it was not, in that time."""
        try:
            async with asyncio.timeout(limit_s):
                while not is_so():
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def is_answered(self, before: int) -> bool:
        """Whether a response has ended since so many had, and none goes on."""
        return self.ended > before and not self.running

    def asked(self, ago_s: float = 0.0) -> None:
        """A question has ended now, or so long ago."""
        self._stopwatch.asked(ago_s)

    def interrupt(self) -> list[Event]:
        """What is to be sent when the user wants it to be silent; nothing where it is."""
        cancel: list[Event] = [{"type": "response.cancel"}] if self.running else []
        return cancel + self._hush()

    def approve(self, is_approved: bool) -> list[Event]:
        """The oldest call that waits, decided."""
        request_id = next(iter(self.approvals))
        del self.approvals[request_id]
        item = {
            "type": "mcp_approval_response",
            "approval_request_id": request_id,
            "approve": is_approved,
        }
        if self.approvals:
            self._ask_for_approval()
        self.asked()
        return [{"type": "conversation.item.create", "item": item}, {"type": "response.create"}]

    # ---- by their types ----

    def _configured(self, event: Event) -> None:
        self.is_configured = True

    def _speech_started(self, event: Event) -> list[Event]:
        self.is_spoken_to = True
        return self._hush()

    def _speech_stopped(self, event: Event) -> None:
        self.is_spoken_to = False
        self.asked(max(0.0, self.sent_ms - event["audio_end_ms"]) / 1000)

    def _heard(self, event: Event) -> None:
        self._spelled.add(event["item_id"])
        self._screen.words(YOU, event.get("delta") or "")

    def _heard_all(self, event: Event) -> None:
        if event["item_id"] not in self._spelled:
            self._screen.words(YOU, event["transcript"] or "(nothing that was understood)")
        self._screen.end()

    def _not_heard(self, event: Event) -> None:
        self._screen.note(f"not understood: {event['error'].get('message')}")

    def _started(self, event: Event) -> None:
        self.running.add(event["response"]["id"])

    def _said(self, event: Event) -> None:
        self._stopwatch.answers()
        self._screen.words(BOX, event["delta"])

    def _sounded(self, event: Event) -> None:
        self._stopwatch.answers()
        try:
            pcm = base64.b64decode(event["delta"], validate=True)
        except binascii.Error:
            return
        self._player.put(event["item_id"], pcm[: len(pcm) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE])

    def _sounded_all(self, event: Event) -> None:
        self._player.end()

    def _item_done(self, event: Event) -> None:
        item = event["item"]
        match item.get("type"):
            case "mcp_approval_request" if item["id"] not in self._answered:
                self._answered.add(item["id"])
                self.approvals[item["id"]] = item
            case "function_call" | "mcp_call" if event["type"] == "response.output_item.done":
                self._screen.note(f"calls {item['name']} with {item['arguments']}")

    def _done(self, event: Event) -> None:
        response = event["response"]
        self.running.discard(response["id"])
        self.ended += 1
        self._screen.end()
        details = response.get("status_details") or {}
        match response["status"]:
            case "failed":
                why = (details.get("error") or {}).get("message")
                self._screen.note(f"it failed: {why}")
            case "cancelled" | "incomplete" as status:
                self._screen.note(f"{status}: {details.get('reason') or 'without a reason'}")
        if took := self._stopwatch.done():
            self._screen.note(took)
        if self.approvals:
            self._ask_for_approval()

    def _error(self, event: Event) -> None:
        self._screen.note(f"the server says: {event['error'].get('message')}")

    # ---- helpers ----

    def _hush(self) -> list[Event]:
        heard = self._player.hush()
        if heard is None:
            return []
        item_id, heard_ms = heard
        where = {"item_id": item_id, "content_index": 0, "audio_end_ms": heard_ms}
        return [{"type": "conversation.item.truncate", **where}]

    def _ask_for_approval(self) -> None:
        call = next(iter(self.approvals.values()))
        name = f"{call['name']} of {call['server_label']}"
        self._screen.ask(f"{BOX} wants to use {name}, with {call['arguments']}. Let it? [y/n]")


HANDLERS: Mapping[str, Callable[[Dialogue, Event], list[Event] | None]] = {
    "session.updated": Dialogue._configured,
    "input_audio_buffer.speech_started": Dialogue._speech_started,
    "input_audio_buffer.speech_stopped": Dialogue._speech_stopped,
    "conversation.item.input_audio_transcription.delta": Dialogue._heard,
    "conversation.item.input_audio_transcription.completed": Dialogue._heard_all,
    "conversation.item.input_audio_transcription.failed": Dialogue._not_heard,
    "conversation.item.done": Dialogue._item_done,
    "response.created": Dialogue._started,
    "response.output_text.delta": Dialogue._said,
    "response.output_audio_transcript.delta": Dialogue._said,
    "response.output_audio.delta": Dialogue._sounded,
    "response.output_audio.done": Dialogue._sounded_all,
    "response.output_item.done": Dialogue._item_done,
    "response.done": Dialogue._done,
    "error": Dialogue._error,
}

"""What holds for every stream of a Realtime session's server events, whatever a client does in it.

The order is that of the API's guide and of recordings of the real service; a client that keeps its
own copy of the conversation, as all SDKs do, goes wrong where one of these is broken.
"""

import base64
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
ANSWERS = {
    "session.update": {"session.updated"},
    "input_audio_buffer.append": set[str](),
    "input_audio_buffer.commit": {"input_audio_buffer.committed"},
    "input_audio_buffer.clear": {"input_audio_buffer.cleared"},
    "conversation.item.create": {"conversation.item.added"},
    "conversation.item.retrieve": {"conversation.item.retrieved"},
    "conversation.item.truncate": {"conversation.item.truncated"},
    "conversation.item.delete": {"conversation.item.deleted"},
    "response.create": {"response.created"},
    "response.cancel": {"response.done"},
}
"""What each client event is answered with, unless by an error."""
TRANSCRIPTION = "conversation.item.input_audio_transcription"
ENDS = {
    "response.output_text.done": "text",
    "response.output_audio_transcript.done": "transcript",
    "response.function_call_arguments.done": "arguments",
}
DELTAS = {
    "response.output_text.delta",
    "response.output_audio_transcript.delta",
    "response.function_call_arguments.delta",
}


STREAMS = {
    "text": {"response.output_text.done"},
    "audio": {"response.output_audio.done", "response.output_audio_transcript.done"},
}
"""What a part of that type ends with, before it ends itself."""


class Output:
    """An item of a response, from its `output_item.added` to its `output_item.done`."""

    def __init__(self, item: Json) -> None:
        self.item = item
        self.parts: dict[int, bool] = {}
        """Whether the part of that index is done."""
        self.text = ""
        self.ended: set[str] = set()
        """The streams of its parts that are done."""
        self.done: Json | None = None


class Response:
    def __init__(self, created: Json) -> None:
        self.is_apart = created["conversation_id"] is None
        self.metadata = created["metadata"]
        self.outputs: dict[str, Output] = {}


class Laws:
    """Told of every client event before it is sent (`sent`) and every server event (`told`), in order.

    Both raise AssertionError, naming what is broken. `order` is the conversation as a client knows it.
    """

    def __init__(self) -> None:
        self.order: list[str] = []
        self.items: dict[str, Json] = {}
        """Every item there was, as it was told last."""
        self.open: dict[str, str | None] = {}
        """Added and not done, with what it was said to follow."""
        self.running: dict[str, Response] = {}
        self.ended: set[str] = set()
        self.cut: set[str] = set()
        self.events: set[str] = set()
        """Sent, and no error about them yet."""
        self.said: set[str] = set()
        """Items that are to be added because they were said, not because they were created."""
        self.unanswered: dict[str, set[str]] = {}
        self.speaking: str | None = None
        self.committed: list[str] = []
        self.transcribed: set[str] = set()
        self.event_ids: set[str] = set()

    def sent(self, event: Json) -> None:
        self.events.add(event["event_id"])
        self.unanswered[event["event_id"]] = ANSWERS.get(event["type"], {"error"})

    def told(self, event: Json) -> None:
        kind = event["type"]
        assert event["event_id"] not in self.event_ids, "an event id came twice"
        self.event_ids.add(event["event_id"])
        self._answer(event)
        if kind.startswith("response."):
            self._response(kind, event)
        elif kind.startswith(TRANSCRIPTION):
            self._transcription(kind, event)
        elif kind.startswith("conversation.item."):
            self._item(kind.rpartition(".")[2], event)
        elif kind.startswith("input_audio_buffer."):
            self._speech(kind.rpartition(".")[2], event)

    def settled(self, history: Iterable[str]) -> None:
        """Nothing goes on any more. `history` are the ids of what the session remembers."""
        unanswered = {key: kinds for key, kinds in self.unanswered.items() if kinds}
        assert not unanswered, f"never answered: {unanswered}"
        assert not self.running, f"never done: {list(self.running)}"
        assert not self.open, f"added and never done: {list(self.open)}"
        assert self.order == list(history), "a client knows another conversation than the session"

    def _answer(self, event: Json) -> None:
        if event["type"] == "error":
            about = event["error"]["event_id"]
            assert about in self.events, f"an error about {about!r}, which was not sent"
            self.events.remove(about)
            self.unanswered.pop(about, None)
            return
        if event["type"] == "conversation.item.added" and event["item"]["id"] in self.said:
            self.said.remove(event["item"]["id"])
            return
        for about, kinds in self.unanswered.items():
            if event["type"] in kinds:
                del self.unanswered[about]
                return

    # ---- the conversation ----

    def _item(self, what: str, event: Json) -> None:
        if what == "added":
            self._added(event["item"], event["previous_item_id"])
        elif what == "done":
            item_id = event["item"]["id"]
            assert item_id in self.open, f"{item_id} is done and was not added, or was done before"
            assert event["previous_item_id"] == self.open.pop(item_id)
            assert event["item"].get("status") != "in_progress"
            self.items[item_id] = event["item"]
        elif what == "deleted":
            self.order.remove(event["item_id"])
            self.cut.add(event["item_id"])
        elif what == "truncated":
            assert event["item_id"] in self.order, "what is not there was truncated"
            self.cut.add(event["item_id"])
        elif what == "retrieved":
            assert event["item"]["id"] in self.order, "what is not there was retrieved"

    def _added(self, item: Json, previous_id: str | None) -> None:
        item_id = item["id"]
        assert item_id not in self.order, f"{item_id} was added twice"
        place = 0 if previous_id is None else self.order.index(previous_id) + 1
        self.order.insert(place, item_id)
        self.cut.discard(item_id)
        self.items[item_id] = item
        self.open[item_id] = previous_id

    # ---- what is heard ----

    def _speech(self, what: str, event: Json) -> None:
        if what == "speech_started":
            assert self.speaking is None, "speech started twice"
            self.speaking = event["item_id"]
        elif what == "speech_stopped":
            assert self.speaking == event["item_id"], "speech stopped that had not started"
            self.speaking = None
        elif what == "committed":
            assert event["item_id"] not in self.committed, "committed twice"
            assert event["previous_item_id"] in (None, *self.order)
            self.committed.append(event["item_id"])
            self.said.add(event["item_id"])

    def _transcription(self, kind: str, event: Json) -> None:
        item_id = event["item_id"]
        assert item_id not in self.transcribed, f"{kind} after the end of its transcription"
        if not kind.endswith("delta"):
            created = self.items.get(item_id, {}).get("role") == "user"
            assert created or item_id in self.committed, f"{kind} of what was not committed"
            self.transcribed.add(item_id)

    # ---- responses ----

    def _response(self, kind: str, event: Json) -> None:
        if kind == "response.created":
            self._created(event["response"])
            return
        response_id = event.get("response_id") or event["response"]["id"]
        assert response_id not in self.ended, f"{kind} after the response was done"
        assert response_id in self.running, f"{kind} of a response that was not created"
        response = self.running[response_id]
        if kind == "response.done":
            self._done(response, event["response"])
        elif kind == "response.output_item.added":
            assert event["output_index"] == len(response.outputs), "output_index has a gap"
            assert event["item"]["id"] not in response.outputs
            response.outputs[event["item"]["id"]] = Output(event["item"])
            if not response.is_apart:
                self.said.add(event["item"]["id"])
        else:
            self._within(kind, event, response)

    def _created(self, response: Json) -> None:
        assert response["id"] not in self.running
        assert response["id"] not in self.ended
        assert response["status"] == "in_progress"
        created = Response(response)
        if not created.is_apart:
            active = [one for one in self.running.values() if not one.is_apart]
            assert not active, "two responses of the conversation are active"
        self.running[response["id"]] = created

    def _done(self, response: Response, done: Json) -> None:
        del self.running[done["id"]]
        self.ended.add(done["id"])
        assert done["status"] in ("completed", "cancelled", "failed", "incomplete")
        assert done["metadata"] == response.metadata, "metadata is not what was asked with"
        assert [item["id"] for item in done["output"]] == list(response.outputs)
        for item in done["output"]:
            output = response.outputs[item["id"]]
            assert output.done == item, "an item in response.done is another than in its own done"
            assert item["id"] not in self.open, "the response is done before its item"

    def _within(self, kind: str, event: Json, response: Response) -> None:
        item_id = event["item"]["id"] if "item" in event else event["item_id"]
        assert item_id in response.outputs, f"{kind} of an item that was not announced"
        output = response.outputs[item_id]
        assert event["output_index"] == list(response.outputs).index(item_id)
        assert output.done is None, f"{kind} after the item was done"
        if kind == "response.output_item.done":
            assert all(output.parts.values()), "a part was not done before its item"
            assert event["item"].get("status") != "in_progress"
            output.done = event["item"]
        elif kind == "response.content_part.added":
            assert event["content_index"] == len(output.parts), "content_index has a gap"
            output.parts[event["content_index"]] = False
        elif "content_index" in event:
            assert output.parts[event["content_index"]] is False, f"{kind}: its part is not open"
        if kind == "response.content_part.done":
            missing = STREAMS[event["part"]["type"]] - output.ended
            assert not missing, f"the part is done before {missing}"
            output.parts[event["content_index"]] = True
        if kind.endswith(".done"):
            assert kind not in output.ended, f"{kind} came twice"
            output.ended.add(kind)
        if kind in DELTAS:
            output.text += event["delta"]
        if kind in ENDS:
            said, whole = event[ENDS[kind]].rstrip(), output.text.rstrip()
            assert whole.startswith(said), f"{said!r} is no part of what was told: {whole!r}"
        if kind == "response.output_audio.delta":
            assert item_id not in self.cut, "sound of an item that was cut or deleted"
            assert len(base64.b64decode(event["delta"])) % 2 == 0

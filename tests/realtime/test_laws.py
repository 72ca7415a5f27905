"""Whatever a client does and engines make of it, the laws of the API's event stream hold.

Each example is a session of some dozens of steps on virtual time; the examples are the same every
time. `AIROS_EXAMPLES=5000` tries more of them, others each time.
"""

import asyncio
import json
import os
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from airos_edge.errors import ReachError
from airos_edge.virtual_time import VirtualTimeLoop
from airos_edge.voice.ports import Call, Done, Text
from airos_edge.voice.utterance import Judgement
from tests.fakes import At, Do, FakeAsr, FakeResponder, FakeTts, Fault, Said, fake_engines
from tests.realtime.client import Client, sound
from tests.realtime.laws import Laws

pytestmark = pytest.mark.timeout(900)  # a law that is broken is looked at from many sides
MORE = os.environ.get("AIROS_EXAMPLES")
LONGEST_S = 24 * 3600
SETTLED_S = 120.0
"""By then every engine has answered, failed, or was given up."""
DETECTIONS = [
    None,
    {"type": "server_vad"},
    {"type": "server_vad", "silence_duration_ms": 100, "prefix_padding_ms": 0},
    {"type": "server_vad", "create_response": False},
    {"type": "server_vad", "interrupt_response": False},
    {"type": "semantic_vad", "eagerness": "low"},
    {"type": "semantic_vad", "create_response": False, "interrupt_response": False},
]
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
SCRIPTS: list[list[Any]] = [
    [Text("Yes."), Done("fake")],
    [Text("One two three four five six. Seven eight nine ten eleven."), Done("fake")],
    [300, Text("One. "), 2000, Text("Two."), Done("fake")],
    [Text("cut off"), Done("fake", why="max_tokens")],
    [Call("weather", {"city": "Rome"}), Done("fake")],
    [Text("Let me see."), Call("weather", {}, "call_1"), Call("weather", {}), Done("fake")],
    [Text("Shall I?"), Call("HassTurnOff", {}, waits_for_yes=True), Done("fake")],
    [Do(Call("HassTurnOn", {})), Text("Done."), Done("fake")],
    [Done("fake")],
    [Text("Well. "), Fault.RAISE],
    [Fault.CRASH],
    [Text("I. "), Fault.STALL],
    [Text("I said "), Fault.SWALLOW],
    [Fault.FOREIGN_CANCEL],
]
RECORDINGS = [
    Said("hello"),
    Said("", takes_ms=100),
    Said("later", takes_ms=3000),
    Said("turn on", [At(100, "turn"), At(300, "turn on", Judgement.COMPLETE)]),
    Said("turn off", [At(100, "turn on", Judgement.COMPLETE), At(500, "turn", Judgement.PREFIX)]),
    Said(Fault.RAISE, takes_ms=200),
    Said(Fault.CRASH),
    Said(Fault.STALL),
]
VOICES: list[dict[str, Any]] = [
    {},
    {"takes_ms": 700},
    {"fault": Fault.RAISE},
    {"fault": Fault.RAISE, "after_words": 2},
    {"fault": Fault.STALL, "after_words": 1},
]
NAMES = ["item_a", "item_b", "item_c"]
FAR_AWAY = ReachError("asr", "is too far")


class Sessions(RuleBasedStateMachine):
    """A client that does anything at any time, and engines that do."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=partial(VirtualTimeLoop, LONGEST_S))
        self.loop = self.runner.get_loop()
        self.laws = Laws()
        self.sent = self.seen = 0

    @initialize(kind=st.sampled_from(["realtime", "realtime", "realtime", "transcription"]))
    def connect(self, kind: str) -> None:
        self.kind = kind
        self.client = Client(kind)
        self._run(self.client.__aenter__())

    def teardown(self) -> None:
        try:
            if hasattr(self, "client"):
                self._run(asyncio.sleep(SETTLED_S))
                self.laws.settled(item.id for item in self.client.session.history)
                self._run(self.client.__aexit__(None, None, None))
                assert self.client.lease.running == 0, "engines are still borrowed"
        finally:
            self.runner.close()

    def _run(self, work: Any) -> None:
        self.runner.run(work)
        self._look()

    def _send(self, type: str, **fields: Any) -> None:
        self.sent += 1
        event = {"type": type, "event_id": f"sent_{self.sent}", **fields}
        note(f"{self.loop.time():.2f} s: {json.dumps(event)[:300]}")
        self.laws.sent(event)

        async def send() -> None:
            self.client.receive(json.dumps(event))

        self._run(send())

    def _look(self) -> None:
        new, self.seen = self.client.events[self.seen :], len(self.client.events)
        for event in new:
            self.laws.told(event)

    def _some_id(self, data: st.DataObject) -> str:
        """Of any item there is or was, the newest most often, or of none."""
        newest = list(self.laws.items)[-1:] * 4
        known = [*NAMES, "item_unknown", *self.laws.items, *newest]
        return data.draw(st.sampled_from(known), "id")

    # ---- time and engines ----

    @rule(ms=st.sampled_from([1, 30, 200, 1000, 5000, 30_000]))
    def wait(self, ms: int) -> None:
        self._run(asyncio.sleep(ms / 1000))

    @rule(
        recording=st.sampled_from(RECORDINGS),
        script=st.sampled_from(SCRIPTS),
        voice=st.sampled_from(VOICES),
        fails=st.sampled_from([None, None, None, FAR_AWAY]),
    )
    def change_engines(self, recording: Said, script: Any, voice: Any, fails: Any) -> None:
        self.client.lease.engines = fake_engines(
            asr=FakeAsr(recording),
            responder=FakeResponder(lambda prompt: script),
            tts=FakeTts(**voice),
        )
        self.client.lease.error = fails

    # ---- sound ----

    @rule(ms=st.sampled_from([20, 100, 400, 1500]), loud=st.booleans())
    def append_at_once(self, ms: int, loud: bool) -> None:
        self._send("input_audio_buffer.append", audio=sound(ms, 8000 if loud else 0))

    @rule(audio=st.sampled_from(["", "AA==", "AAA=", "AAAA", "!", "A", 5, None]))
    def append_little_or_rubbish(self, audio: Any) -> None:
        self._send("input_audio_buffer.append", audio=audio)

    @rule(ms=st.sampled_from([200, 600, 2000]), quiet_ms=st.sampled_from([0, 300, 1000]))
    def speak(self, ms: int, quiet_ms: int) -> None:
        self._run(self.client.play(ms))
        self._run(self.client.play(quiet_ms, 0))

    @rule()
    def commit(self) -> None:
        self._send("input_audio_buffer.commit")

    @rule()
    def clear(self) -> None:
        self._send("input_audio_buffer.clear")

    # ---- the session ----

    @rule(
        detection=st.sampled_from(DETECTIONS),
        transcription=st.sampled_from([None, {"model": "whisper-1"}]),
        fields=st.sampled_from(
            [
                {},
                {},
                {"output_modalities": ["text"]},
                {"tools": [TOOL]},
                {"speed": 1},
                {"type": "x"},
            ]
        ),
    )
    def update(self, detection: Any, transcription: Any, fields: Any) -> None:
        audio = {"input": {"turn_detection": detection, "transcription": transcription}}
        session = {"type": self.kind, "audio": audio}
        self._send("session.update", session={**session, **fields})

    # ---- items ----

    @rule(data=st.data(), role=st.sampled_from(["user", "assistant", "system", "nobody"]))
    def create_message(self, data: st.DataObject, role: str) -> None:
        kind = "output_text" if role == "assistant" else "input_text"
        item = {"type": "message", "role": role, "content": [{"type": kind, "text": "words"}]}
        self._create(data, item)

    @rule(data=st.data(), kind=st.sampled_from(["function_call_output", "function_call", "x"]))
    def create_call(self, data: st.DataObject, kind: str) -> None:
        call = {"name": "weather", "arguments": "{}"} if kind == "function_call" else {}
        self._create(data, {"type": kind, "call_id": "call_1", "output": "sunny", **call})

    def _create(self, data: st.DataObject, item: dict[str, Any]) -> None:
        if data.draw(st.booleans(), "named"):
            item["id"] = self._some_id(data)
        fields = {}
        if data.draw(st.booleans(), "placed"):
            fields["previous_item_id"] = data.draw(st.sampled_from(["root", self._some_id(data)]))
        self._send("conversation.item.create", item=item, **fields)

    @rule(data=st.data())
    def retrieve(self, data: st.DataObject) -> None:
        self._send("conversation.item.retrieve", item_id=self._some_id(data))

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self._send("conversation.item.delete", item_id=self._some_id(data))

    @rule(data=st.data(), ms=st.sampled_from([0, 1, 300, 2000, 10**9, -1, "x"]))
    def truncate(self, data: st.DataObject, ms: Any) -> None:
        fields = {"item_id": self._some_id(data), "content_index": 0, "audio_end_ms": ms}
        self._send("conversation.item.truncate", **fields)

    # ---- responses ----

    @rule(response=st.sampled_from([None, {}, {"output_modalities": ["text"]}, {"tools": 5}]))
    def ask(self, response: Any) -> None:
        self._send("response.create", **({} if response is None else {"response": response}))

    @rule(data=st.data(), text=st.booleans(), referring=st.booleans())
    def ask_apart(self, data: st.DataObject, text: bool, referring: bool) -> None:
        response: dict[str, Any] = {"conversation": "none", "metadata": {"n": str(self.sent)}}
        if text:
            response["output_modalities"] = ["text"]
        if referring:
            response["input"] = [{"type": "item_reference", "id": self._some_id(data)}]
        self._send("response.create", response=response)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        known = [None, "resp_unknown", *self.laws.running, *sorted(self.laws.ended)[:2]]
        response_id = data.draw(st.sampled_from(known), "response")
        self._send("response.cancel", **({"response_id": response_id} if response_id else {}))

    @rule(
        ms=st.sampled_from([0, 30, 500]),
        how=st.sampled_from(["conversation.item.truncate", "conversation.item.delete"]),
    )
    def cut_what_is_being_said(self, ms: int, how: str) -> None:
        self._send("response.create")
        self._run(asyncio.sleep(ms / 1000))
        if self.laws.items:
            cut = {"content_index": 0, "audio_end_ms": ms} if how.endswith("truncate") else {}
            self._send(how, item_id=list(self.laws.items)[-1], **cut)

    @rule(kind=st.sampled_from(["output_audio_buffer.clear", "response.pause", ""]))
    def send_what_is_refused(self, kind: str) -> None:
        self._send(kind)


Sessions.TestCase.settings = settings(
    max_examples=int(MORE or 400),
    stateful_step_count=40,
    derandomize=MORE is None,
    database=None,
    deadline=None,
    print_blob=False,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
TestSessions = Sessions.TestCase

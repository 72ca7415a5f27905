"""A Realtime client without a socket: frames into a Conversation, and what comes out, each one checked."""

import asyncio
import base64
import json
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Any, Self

import numpy as np

from airos_edge.realtime.configuration import new_configuration
from airos_edge.realtime.conversation import Conversation
from airos_edge.realtime.formats import PCM, Wire
from airos_edge.realtime.protocol import receive
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.floor import Floor
from airos_edge.voice.ports import Prompt, Speaking
from airos_edge.voice.session import Session
from tests.fakes import FakeLease, FakeVad, fake_engines
from tests.realtime import oracle
from tests.room import LOUD

FRAME_MS = 20
Json = dict[str, Any]


def sound(ms: int, value: int = LOUD, wire: Wire = PCM) -> str:
    """Base64 of sound, 24 kHz PCM unless told otherwise, whose samples are all of one value."""
    samples = np.full(wire.rate_hz * ms // 1000, value, np.int16)
    return base64.b64encode(wire.encode(samples)).decode()


class Client:
    """Use it as a context manager. `events` are all frames that were received."""

    def __init__(
        self,
        kind: str = "realtime",
        model: str = "airos",
        voices: Collection[str] | None = None,
        beta: bool = False,
        **engines: Any,
    ) -> None:
        self.events: list[Json] = []
        self.wire = PCM
        """What is on it of the microphone."""
        self.lease = FakeLease(fake_engines(**engines))
        self._changed = asyncio.Event()
        configuration = new_configuration("sess_1", model, kind, 1)
        self.conversation = Conversation(
            configuration,
            TurnRules(),
            self._receive,
            self._room,
            voices=lambda: voices,
            beta=beta,
        )
        self.session = Session(
            "sess_1",
            Ear(self.conversation.rules(), FakeVad()),
            Floor(self.conversation.open_mouth),
            self.lease.borrow,
            self.conversation.tell,
            Prompt(speaking=Speaking()),
        )

    async def __aenter__(self) -> Self:
        await self.session.__aenter__()
        self.conversation.begin(self.session)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.session.__aexit__(kind, error, trace)

    def _receive(self, event: Mapping[str, Any]) -> None:
        event = json.loads(json.dumps(event))
        oracle.check(event, self.conversation.dialect.beta)
        self.events.append(event)
        self._changed.set()

    async def _room(self) -> None:
        """There is always room."""

    def send(self, type: str, **fields: Any) -> Json:
        """Gives the last event that this made come at once."""
        self.receive(json.dumps({"type": type, **fields}))
        return self.events[-1]

    def receive(self, frame: str) -> None:
        for _ in receive(self.conversation, frame):
            pass

    def configure(self, **session: Any) -> Json:
        return self.send("session.update", session={"type": "realtime", **session})

    def add(self, text: str, **fields: Any) -> Json:
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content, **fields}
        return self.send("conversation.item.create", item=item)

    async def play(self, ms: int, value: int = LOUD) -> None:
        """Into the microphone, in real time."""
        for _ in range(ms // FRAME_MS):
            await asyncio.sleep(FRAME_MS / 1000)
            self.send("input_audio_buffer.append", audio=sound(FRAME_MS, value, self.wire))

    async def ask(self) -> None:
        await self.play(600)
        await self.play(700, 0)

    async def until(self, type: str, count: int = 1) -> Json:
        """The `count`th event of its type, as soon as it comes."""
        while len(self.of(type)) < count:
            self._changed.clear()
            await self._changed.wait()
        return self.of(type)[count - 1]

    def of(self, type: str) -> list[Json]:
        return [event for event in self.events if event["type"] == type]

    @property
    def types(self) -> list[str]:
        """In order; of the deltas that follow each other, one of each."""
        shown: list[str] = []
        deltas: set[str] = set()
        for kind in (event["type"] for event in self.events):
            if not kind.endswith(".delta"):
                deltas.clear()
            elif kind in deltas:
                continue
            else:
                deltas.add(kind)
            shown.append(kind)
        return shown

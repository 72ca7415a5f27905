"""How the daemon starts and stops, with scripted engines, a real socket and real signals; see docs/flow.md."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from airos_edge import daemon
from airos_edge.config import Config
from airos_edge.errors import ConfigError
from airos_edge.http.settings import Settings as ServerSettings
from airos_edge.local.settings import Settings as SatelliteSettings
from airos_edge.loudspeaker import Loudspeaker
from airos_edge.paths import socket_path
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.floor import Floor
from airos_edge.voice.flow import Scope
from airos_edge.voice.hub import Hub
from airos_edge.voice.ports import Done, OpenMouth, Place, Prompt, Speaking, Text
from airos_edge.voice.session import Session
from airos_edge.wyoming.settings import Settings as WyomingSettings
from tests.diagrams import diagrams, once
from tests.fakes import FakeLease, FakeResponder, FakeVad, fake_engines
from tests.room import label

pytestmark = pytest.mark.real_time

CONFIG = Config(
    server=ServerSettings(port=0),
    wyoming=WyomingSettings(services=None),
    satellite=SatelliteSettings(None, None),
)
SHORT = "Yes."
LONG = "word " * 200
"""50 s of speech."""


class FakeBox:
    """The box that the daemon opens; `happened` is what its sessions told."""

    def __init__(self, answer: str) -> None:
        self.happened: list[str] = []
        self.reloaded: list[Config] = []
        self.is_open = False
        self.hub = Hub()
        responder = FakeResponder(lambda prompt: [Text(answer), Done("fake")])
        self._lease = FakeLease(fake_engines(responder=responder))
        self.loudspeaker = Loudspeaker(
            lambda: self._lease.borrow(Place.LOCAL), Speaking, self.hub.publish
        )

    def rules(self) -> TurnRules:
        return TurnRules()

    def voices(self) -> None:
        """It does not tell their names."""

    def open_session(
        self, tell: Callable[[Event], None], open_mouth: OpenMouth, rules: TurnRules
    ) -> Session:
        def tell_and_note(event: Event) -> None:
            self.happened.append(f"Face: {label(event)}")
            tell(event)

        manner = Prompt(speaking=Speaking())
        ear, floor = Ear(rules, FakeVad()), Floor(open_mouth)
        return Session("sess_1", ear, floor, self._lease.borrow, tell_and_note, manner)

    def open_asking(self, tell: Callable[[Event], None], open_mouth: OpenMouth) -> Session:
        return self.open_session(tell, open_mouth, self.rules())

    def open_hearing(self, tell: Callable[[Event], None]) -> Session:
        raise NotImplementedError

    def speak(self, texts: Any, how: Speaking) -> Any:
        raise NotImplementedError

    def model_names(self) -> list[str]:
        return ["airos"]

    @property
    def fluencies(self) -> list[Any]:
        return []

    async def models_changed(self) -> dict[str, str]:
        return {}

    def check(self) -> dict[str, Any]:
        return {"engines": {}, "models": {}, "devices": [], "demo": False}

    def state(self) -> dict[str, Any]:
        return {"status": "ok", "parts": {}}

    async def reload(self, config: Config) -> str:
        self.reloaded.append(config)
        return "name"


class Log(logging.Handler):
    """What is logged, to be read or waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._changed = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self._changed.set()

    async def says(self, text: str) -> str:
        """The first line that holds the text, when it is there."""
        async with asyncio.timeout(10):
            while not (found := [line for line in self.lines if text in line]):
                self._changed.clear()
                await self._changed.wait()
        return found[0]


class Run:
    """A daemon that runs in this process."""

    def __init__(self, box: FakeBox, log: Log) -> None:
        self.box = box
        self.reread: Callable[[], Config] = lambda: CONFIG
        self.says = log.says
        self._task: asyncio.Task[None]

    def start(self, scope: Scope) -> None:
        work = daemon._run(CONFIG, False, lambda: self.reread(), time.monotonic())
        self._task = scope.start(work, "daemon")

    async def ask(self, client: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        """A question that is being answered aloud."""
        where = (await self.says("Open: ws://")).split()[1]
        socket = await client.ws_connect(where)
        content = [{"type": "input_text", "text": "really?"}]
        item = {"type": "message", "role": "user", "content": content}
        await socket.send_json({"type": "conversation.item.create", "item": item})
        await socket.send_json({"type": "response.create"})
        while (await socket.receive_json())["type"] != "response.output_audio.delta":
            pass
        return socket

    async def ended(self) -> None:
        """Raises CancelledError where it was told not to wait."""
        async with asyncio.timeout(10):
            await asyncio.wait([self._task])
        await self._task

    def follows(self, heading: str) -> None:
        assert once(self.box.happened) == diagrams()[heading]


@pytest.fixture
def run(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Run]:
    box, log, root = FakeBox(getattr(request, "param", SHORT)), Log(), logging.getLogger()

    @asynccontextmanager
    async def open_box(config: Config, demo: bool) -> AsyncIterator[FakeBox]:
        box.is_open = True
        try:
            yield box
        finally:
            box.is_open = False

    monkeypatch.setattr(daemon, "open_box", open_box)
    monkeypatch.setenv("AIROS_RUNTIME", str(tmp_path))
    level = root.level
    root.addHandler(log)
    root.setLevel(logging.INFO)
    yield Run(box, log)
    root.removeHandler(log)
    root.setLevel(level)


def kill(number: int = signal.SIGTERM) -> None:
    os.kill(os.getpid(), number)


async def test_sigterm_in_an_answer(run: Run) -> None:
    async with Scope() as scope, aiohttp.ClientSession() as client:
        run.start(scope)
        socket = await run.ask(client)
        kill()
        message = await socket.receive(10)
        while message.type is aiohttp.WSMsgType.TEXT:
            message = await socket.receive(10)
        run.box.happened.append(f"Client: close {message.data}")
        await run.ended()
        run.follows("SIGTERM in an answer")
    assert not run.box.is_open
    assert not socket_path().exists()


@pytest.mark.parametrize("run", [LONG], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_sigterm_twice(run: Run, number: int) -> None:
    async with Scope() as scope, aiohttp.ClientSession() as client:
        run.start(scope)
        await run.ask(client)
        kill(number)
        await run.says("Stopping.")
        kill(number)
        with pytest.raises(asyncio.CancelledError):
            await run.ended()
        run.follows("SIGTERM twice")
    assert not run.box.is_open
    assert not socket_path().exists()


async def test_sigterm_at_start(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opening = asyncio.Event()

    @asynccontextmanager
    async def open_slowly(config: Config, demo: bool) -> AsyncIterator[FakeBox]:
        opening.set()
        await asyncio.Event().wait()
        yield run.box

    monkeypatch.setattr(daemon, "open_box", open_slowly)
    async with Scope() as scope:
        run.start(scope)
        await opening.wait()
        kill()
        with pytest.raises(asyncio.CancelledError):
            await run.ended()
        run.follows("SIGTERM at start")
    assert not socket_path().exists()


async def test_sighup_reads_the_configuration_again(run: Run) -> None:
    async with Scope() as scope:
        run.start(scope)
        await run.says("is ready")
        kill(signal.SIGHUP)
        assert await run.says("Reloaded") == "Reloaded; changed: name."
        assert run.box.reloaded == [CONFIG]
        kill()
        await run.ended()


async def test_a_bad_configuration_is_told_and_changes_nothing(run: Run) -> None:
    def broken() -> Config:
        raise ConfigError("config.yaml:1:1: this is not YAML")

    run.reread = broken
    async with Scope() as scope:
        run.start(scope)
        await run.says("is ready")
        kill(signal.SIGHUP)
        assert "config.yaml:1:1" in await run.says("Not reloaded")
        assert run.box.reloaded == []
        kill()
        await run.ended()

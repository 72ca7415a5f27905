"""A Home Assistant of its own on a port of its own, and what its users do there, by its API."""

import asyncio
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from airos_edge.voice.audio import AudioChunk
from tests.e2e.conftest import free_port
from tests.speech import pieces

LIMIT_S = 120
"""At its first start it installs what it needs of its integrations."""
CONFIG = """
http: {{server_host: 127.0.0.1, server_port: {port}}}
homeassistant: {{time_zone: UTC, internal_url: "{url}", external_url: "{url}"}}
api:
config:
conversation:
"""
Json = dict[str, Any]


class HomeAssistant:
    """`program` is its `hass`. Its folder outlives a restart."""

    def __init__(self, program: str, folder: Path) -> None:
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        self._program = Path(program).absolute()
        self._folder = folder
        self._log = folder / "log"
        self._token = ""
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "configuration.yaml").write_text(CONFIG.format(port=port, url=self._url))

    def start(self) -> None:
        path = f"{self._program.parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "HOME": str(self._folder)}
        command = [self._program, "-c", self._folder]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.until(self._is_there)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(LIMIT_S)

    def until(self, is_so: Callable[[], bool]) -> None:
        until = time.monotonic() + LIMIT_S
        while not is_so():
            assert self._process is not None
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < until, f"{self.states()}\n{self._log.read_text()}"
            time.sleep(0.1)

    def _is_there(self) -> bool:
        try:
            urllib.request.urlopen(f"{self._url}/manifest.json").close()
        except OSError:
            return False
        return True

    def complaints(self) -> list[str]:
        """What its log says of the integrations that know us, above `info`."""
        wanted = re.compile(r"(WARNING|ERROR).*\.(wyoming|mqtt|stt|tts|assist_pipeline)\b")
        return [line for line in self._log.read_text().splitlines() if wanted.search(line)]

    # ---- what a user does ----

    def welcome(self) -> None:
        """Its first user."""
        user = {"name": "a", "username": "a", "password": "a", "language": "en"}
        asked = {"client_id": f"{self._url}/", **user}
        code = self.ask("onboarding/users", asked)["auth_code"]
        grant = {"client_id": f"{self._url}/", "grant_type": "authorization_code", "code": code}
        form = urllib.parse.urlencode(grant).encode()
        with urllib.request.urlopen(f"{self._url}/auth/token", form) as answer:
            self._token = json.load(answer)["access_token"]

    def ask(self, path: str, body: Json | None = None) -> Any:
        """GET, or where there is a body, POST of its REST API."""
        data = None if body is None else json.dumps(body).encode()
        return json.loads(self._send(path, data, {"Content-Type": "application/json"}))

    def _send(self, path: str, data: bytes | None, headers: Json) -> bytes:
        if self._token:
            headers = {**headers, "Authorization": f"Bearer {self._token}"}
        request = urllib.request.Request(f"{self._url}/api/{path}", data, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())

    def add(self, integration: str, options: Json) -> None:
        """As in Settings → Devices & services → Add integration. Options that its form does not know are
        left out: they are another version's."""
        form = self.ask("config/config_entries/flow", {"handler": integration})
        known = {field["name"] for field in form["data_schema"]}
        filled = {name: value for name, value in options.items() if name in known}
        result = self.ask(f"config/config_entries/flow/{form['flow_id']}", filled)
        assert result["type"] == "create_entry", result

    def states(self) -> dict[str, Json]:
        return {entity["entity_id"]: entity for entity in self.ask("states")}

    def state(self, entity: str) -> str | None:
        found = self.states().get(entity)
        return None if found is None else str(found["state"])

    def act(self, service: str, entity: str, **data: Any) -> None:
        self.ask(f"services/{service.replace('.', '/')}", {"entity_id": entity, **data})

    def transcript(self, entity: str, sound: AudioChunk) -> Json:
        kind = "format=wav; codec=pcm; sample_rate=16000; bit_rate=16; channel=1; language=en"
        return dict(json.loads(self._send(f"stt/{entity}", sound.pcm, {"X-Speech-Content": kind})))

    def speech(self, entity: str, text: str) -> bytes:
        asked = {"engine_id": entity, "message": text, "options": {"preferred_format": "wav"}}
        path = self.ask("tts_get_url", asked)["path"]
        return self._send(path.removeprefix("/api/"), None, {})

    @asynccontextmanager
    async def socket(self) -> AsyncIterator["Socket"]:
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{self._url}/api/websocket") as socket,
        ):
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self._token})
            await socket.receive_json()
            yield Socket(socket)


class Socket:
    """Its WebSocket API."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0

    async def call(self, kind: str, **options: Any) -> Json:
        """Its answer, which may be a no."""
        await self._send(kind, **options)
        return await self._next("result")

    async def run(self, pipeline: str, sound: AudioChunk) -> list[Json]:
        """An assist pipeline from speech to its answer; gives its events. It hears as fast as a microphone.
        (What it says would need ffmpeg.)"""
        asked = {"start_stage": "stt", "end_stage": "intent", "input": {"sample_rate": 16000}}
        await self._send("assist_pipeline/run", pipeline=pipeline, **asked)
        events: list[Json] = []
        speaking: asyncio.Task[None] | None = None
        while not events or events[-1]["type"] != "run-end":
            events.append((await self._next("event"))["event"])
            if events[-1]["type"] == "run-start":
                mark = bytes([events[-1]["data"]["runner_data"]["stt_binary_handler_id"]])
                speaking = asyncio.create_task(self._speak(mark, sound))
            elif events[-1]["type"] == "stt-end" and speaking is not None:
                speaking.cancel()
        return events

    async def _speak(self, mark: bytes, sound: AudioChunk) -> None:
        for piece in pieces(sound):
            await self._socket.send_bytes(mark + piece.pcm)
            await asyncio.sleep(piece.ms / 1000)

    async def _send(self, kind: str, **options: Any) -> None:
        self._number += 1
        await self._socket.send_json({"id": self._number, "type": kind, **options})

    async def _next(self, kind: str) -> Json:
        async with asyncio.timeout(30):
            while True:
                message = await self._socket.receive_json()
                if (message["id"], message["type"]) == (self._number, kind):
                    return dict(message)

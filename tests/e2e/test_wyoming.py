"""The `wyoming` package's client against the daemon, and daemons that use each other's stages."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk as Chunk
from wyoming.audio import AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.event import Event, Eventable
from wyoming.info import Describe, Info
from wyoming.ping import Ping
from wyoming.tts import SynthesizeChunk, SynthesizeStart, SynthesizeStop
from wyoming.wake import Detect

from airos_edge.box import open_box
from airos_edge.config import Config
from airos_edge.engines.settings import AsrSettings, WakeSettings
from airos_edge.voice import events
from airos_edge.voice.audio import AudioChunk
from tests.e2e.conftest import Daemon, StartDaemon, free_port
from tests.room import FakeSpeaker, Tape
from tests.speech import noise, pieces, spoken

pytestmark = pytest.mark.real_time

SAMPLE = Path(__file__).parents[2] / "examples" / "turn-on-the-kitchen-light.wav"
COMMAND = "turn on the kitchen light"


class Client:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def send(self, *messages: Eventable) -> None:
        for message in messages:
            await self._client.write_event(message.event())

    async def play(self, sound: AudioChunk, is_live: bool = True) -> None:
        for piece in pieces(sound):
            await self.send(Chunk(16000, 2, 1, piece.pcm))
            if is_live:
                await asyncio.sleep(piece.ms / 1000)

    async def until(self, *kinds: str) -> list[Event]:
        received = []
        async with asyncio.timeout(20):
            while True:
                event = await self._client.read_event()
                assert event is not None, f"closed after {[one.type for one in received]}"
                received.append(event)
                if event.type in kinds:
                    return received


@asynccontextmanager
async def connected(uri: str) -> AsyncIterator[Client]:
    async with AsyncClient.from_uri(uri) as client:
        yield Client(client)


@pytest.fixture
def start_box(start_daemon: StartDaemon) -> Callable[..., tuple[Daemon, str]]:
    """A daemon with its services open, and where."""

    def start(expect_warnings: bool = False, **extra: str) -> tuple[Daemon, str]:
        uri = f"tcp://127.0.0.1:{free_port()}"
        environment = {"AIROS_WYOMING__SERVICES": uri, **extra}
        return start_daemon("--demo", expect_warnings=expect_warnings, **environment), uri

    return start


@pytest.fixture
def start_stage(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """`airos serve` of a stage on a Unix socket; gives its URI when it is ready."""
    started: list[subprocess.Popen[str]] = []

    def start(stage: str) -> str:
        uri = f"unix://{tmp_path}/{stage}"
        command = [sys.executable, "-m", "airos_edge", "serve", stage, uri, "--demo"]
        environment = {**os.environ, "HOME": str(tmp_path)}
        process = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == f"{stage} on {uri}\n"
        return uri

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stdout is not None
        process.stdout.close()


Started = Callable[..., tuple[Daemon, str]]


async def heard(uri: str, sound: AudioChunk) -> tuple[str, bool]:
    """The transcript, and whether it came while the sound was still being played."""
    async with connected(uri) as client:
        await client.send(Transcribe(language="en"), AudioStart(16000, 2, 1))
        playing = asyncio.ensure_future(client.play(sound))
        *_, transcript = await client.until("transcript")
        is_early = not playing.done()
        playing.cancel()
        return transcript.data["text"], is_early


async def test_home_assistants_client_uses_every_stage(start_box: Started) -> None:
    daemon, uri = start_box()
    assert f"Open: {uri}  Wyoming, for Home Assistant: asr, tts, wake, handle" in daemon.log
    async with connected(uri) as client:
        await client.send(Describe())
        info = Info.from_event((await client.until("info"))[0])
    (asr,), (tts,), (wake,), (handle,) = info.asr, info.tts, info.wake, info.handle
    assert {asr.name, tts.name, wake.name, handle.name} == {"airos"}
    assert (asr.requires_external_vad, asr.supports_transcript_streaming) == (False, True)
    assert (asr.models[0].languages, tts.voices[0].name) == (["en"], "en-us")
    assert [model.phrase for model in wake.models] == ["hey jarvis"]
    assert handle.supports_handled_streaming

    assert await heard(uri, spoken(COMMAND, before_ms=300, after_ms=3000)) == (COMMAND, True)

    async with connected(uri) as client:
        await client.send(SynthesizeStart(), SynthesizeChunk("Hello there. "))
        await client.send(SynthesizeChunk("How are you?"), SynthesizeStop(), Ping())
        said = await client.until("synthesize-stopped")
    kinds = [event.type for event in said if event.type not in ("audio-chunk", "pong")]
    assert kinds == ["audio-start", "audio-stop", "synthesize-stopped"]
    sound = b"".join(event.payload or b"" for event in said)
    assert len(sound) / 2 / said[0].data.get("rate", 22050) > 1
    assert np.abs(np.frombuffer(sound, "<i2").astype(int)).max() > 5000

    async with connected(uri) as client:
        await client.send(Detect(names=["hey_jarvis"]), AudioStart(16000, 2, 1))
        await client.play(noise(500), is_live=False)
        await client.play(spoken("hey jarvis", after_ms=700), is_live=False)
        (detection,) = await client.until("detection", "not-detected")
        assert detection.data["name"] == "hey_jarvis"

    async with connected(uri) as client:
        await client.send(Transcript(text=COMMAND, language="en"), AudioStop())
        *_, handled, _ = await client.until("handled-stop")
        assert handled.data["text"] == "Turned on the light, in the demo house"
        await client.send(Transcript(text="turn off all the lights"))
        (refused,) = await client.until("not-handled", "handled-stop")
        assert "asked here" in refused.data["text"]


async def test_a_daemon_hears_and_speaks_with_the_stages_of_other_processes(
    start_stage: Callable[[str], str], start_daemon: StartDaemon
) -> None:
    daemon = start_daemon(
        "--demo",
        AIROS_ASR__ENGINE=start_stage("asr"),
        AIROS_TTS__ENGINE=start_stage("tts"),
        AIROS_WAKE__ENGINE=start_stage("wake"),
    )
    asked = json.loads(daemon.airos("ask", "--quiet", "--json", str(SAMPLE)).stdout)
    assert (asked["transcript"], asked["status"]) == (COMMAND, "completed")
    assert asked["answer"] == "Turned on the light, in the demo house"


async def test_wake_word_and_command_in_one_breath_are_heard_by_other_processes(
    start_stage: Callable[[str], str],
) -> None:
    wake, asr = WakeSettings(engine=start_stage("wake")), AsrSettings(engine=start_stage("asr"))
    told = Tape()
    async with open_box(replace(Config(), wake=wake, asr=asr), demo=True) as box:
        rules = replace(box.rules(), detection="wake")
        async with box.open_session(told, FakeSpeaker(), rules) as session:
            said = spoken(f"hey jarvis {COMMAND}", before_ms=1000, after_ms=1500)
            for piece in pieces(said):
                await asyncio.sleep(piece.ms / 1000)
                session.feed(piece)
            ended = await told.wait_for(events.ReplyEnded)
    assert [woke.word for woke in told.of(events.Woke)] == ["hey_jarvis"]
    (heard,) = told.of(events.Transcribed)
    assert heard.text in (COMMAND, f"{COMMAND}s"), "in one breath its end is not always as clear"
    assert ended.outcome.intent == "HassTurnOn"


async def test_a_box_uses_another_box_and_says_when_it_has_gone(start_box: Started) -> None:
    far, far_uri = start_box()
    _, near_uri = start_box(
        AIROS_ASR__ENGINE=far_uri, AIROS_ASR__GRAMMAR="false", expect_warnings=True
    )
    sound = spoken(COMMAND, before_ms=300, after_ms=3000)
    assert await heard(near_uri, sound) == (COMMAND, True), "the other box has found its end"
    assert far.stop() == 0
    async with connected(near_uri) as client:
        await client.send(AudioStart(16000, 2, 1))
        await client.play(sound, is_live=False)
        await client.send(AudioStop())
        *_, error = await client.until("error", "transcript")
        assert error.data["text"] == f"{far_uri}: cannot be reached: Connection refused"


async def test_a_port_that_is_taken_keeps_nothing_else_from_working(start_box: Started) -> None:
    _, uri = start_box()
    second, _ = start_box(AIROS_WYOMING__SERVICES=uri, expect_warnings=True)
    assert f"Going on without Wyoming: cannot listen on {uri}: Address already in use" in second.log
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{second.port}/healthz") as answer,
    ):
        assert (await answer.json())["parts"]["wyoming"]["state"] == "failed"


async def test_what_lies_beyond_reach_is_not_used_and_said_to_be_refused(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon(
        "--demo",
        expect_warnings=True,
        AIROS_WAKE__ENGINE="tcp://192.0.2.1:10400",
        AIROS_ASR__ENGINE="tcp://192.0.2.1:10300",
    )
    why = "its place is edge, but `reach` is local"
    assert f"Going on without wake: tcp://192.0.2.1:10400: {why}" in daemon.log
    assert f"Going on without asr: tcp://192.0.2.1:10300: {why}" in daemon.log
    typed = json.loads(daemon.airos("ask", "--quiet", "--json", "what time is it").stdout)
    assert typed["status"] == "completed", "what needs neither works"

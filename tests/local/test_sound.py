"""The local sound as a whole, in a box: what there is of it, and that a muted box does not listen."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from airos_edge.box import Box, open_box
from airos_edge.config import Config
from airos_edge.health import PartChanged
from airos_edge.local import sound
from airos_edge.local.portaudio import NoDevice
from airos_edge.local.settings import Settings
from airos_edge.local.sound import LocalSound, local_sound
from airos_edge.voice import events
from airos_edge.voice.hub import Watch
from tests.local.card import FakeAudio
from tests.pulse import Room, wait_until
from tests.speech import spoken

WAKE = spoken("hey jarvis", before_ms=200, after_ms=500)
SILENT = Settings(microphone=None, speaker=None)


@asynccontextmanager
async def box_with(
    settings: Settings, state: Path | None = None
) -> AsyncIterator[tuple[Box, LocalSound]]:
    async with open_box(Config(), demo=True) as box, local_sound(settings, box, state) as local:
        yield box, local


async def test_where_none_is_wanted_the_sound_system_is_not_touched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    async with box_with(SILENT) as (box, local):
        assert local.controls is None
        assert not box.loudspeaker.is_there


async def test_a_server_without_sound_runs_without(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoSound(FakeAudio):
        async def find(self, *_: object) -> None:  # type: ignore[override]
            raise NoDevice("this system has none")

    monkeypatch.setattr(sound, "PortAudio", NoSound)
    async with box_with(Settings()) as (box, local):
        assert local.controls is None
        assert local.microphone.says == "none (this system has none)"
        assert box.state()["status"] == "ok"


async def test_a_microphone_that_was_asked_for_by_name_and_is_absent_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    audio = FakeAudio(error="there is none with 'jabra' in its name")
    monkeypatch.setattr(sound, "PortAudio", lambda: audio)
    async with box_with(Settings(microphone="jabra", speaker=None)) as (box, local):
        await asyncio.sleep(1)
        assert local.controls is not None
        assert box.state()["parts"]["microphone"]["state"] == "failed"
        assert "jabra" in box.state()["parts"]["microphone"]["why"]
        audio.error = ""
        await asyncio.sleep(2)
        assert audio.is_open["input"]


async def test_a_hushed_box_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    audio = FakeAudio()
    monkeypatch.setattr(sound, "PortAudio", lambda: audio)
    async with box_with(Settings(microphone=None)) as (box, _):
        assert not box.loudspeaker.hush()
        async with asyncio.TaskGroup() as group:
            saying = group.create_task(
                box.loudspeaker.say("one two three four five six seven eight nine ten")
            )
            await asyncio.sleep(0.5)
            assert box.loudspeaker.hush()
            assert await saying == b""
        heard = audio.sound
        await asyncio.sleep(1)
        assert not audio.sound[len(heard) + 480 :].any()


@pytest.mark.real_time
async def test_a_muted_box_records_nothing_and_is_muted_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Room(tmp_path) as room:
        for name, value in room.environment.items():
            monkeypatch.setenv(name, value)
        async with box_with(Settings(speaker=None), tmp_path) as (box, local):
            assert local.controls is not None
            with box.hub.watch(10_000) as watch:
                await _hears(watch)
                await asyncio.to_thread(room.say, WAKE)
                assert _woken(watch)
                local.controls.mute(True)
                await asyncio.to_thread(wait_until, lambda: listeners(room) == 0)
                await asyncio.to_thread(room.say, WAKE)
                assert not _woken(watch)
        async with box_with(Settings(speaker=None), tmp_path) as (box, local):
            assert local.controls is not None
            assert local.controls.is_muted
            assert listeners(room) == 0
            with box.hub.watch() as watch:
                local.controls.mute(False)
                await _hears(watch)
            assert listeners(room) == 1


def listeners(room: Room) -> int:
    """How many record what the box's ears would hear."""
    room_id = room.pactl("list", "short", "sources").split("\troom\t")[0].split("\n")[-1]
    recordings = room.pactl("list", "short", "source-outputs").splitlines()
    return len([line for line in recordings if line.split("\t")[1] == room_id])


def _woken(watch: Watch) -> bool:
    return any(isinstance(event, events.Woke) for event in watch.take())


async def _hears(watch: Watch) -> None:
    """Until the microphone delivers."""
    async with asyncio.timeout(10):
        async for event in watch:
            if isinstance(event, PartChanged) and (event.part, event.state) == ("microphone", "ok"):
                return

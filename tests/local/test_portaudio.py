"""Which device is opened, and how; and what is said when there is none."""

import asyncio
import sys
import threading
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import pytest

from airos_edge.local import portaudio
from airos_edge.local.portaudio import AudioError, NoDevice, PortAudio
from airos_edge.voice.flow import Scope


class PortAudioError(Exception):
    pass


class FakeLibrary:
    """`sounddevice`. Devices: (name, inputs, outputs, its own rate, the rates that it can be opened with)."""

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        self.devices: list[tuple[str, int, int, float, set[int]]] = [
            ("HDA Intel", 2, 2, 48_000.0, {48_000}),
            ("USB Speakerphone", 1, 2, 16_000.0, {16_000, 48_000}),
        ]
        self.default = SimpleNamespace(device=(0, 0))
        self.begun = 1
        self.is_busy = False
        self.open: list[dict[str, Any]] = []

    def query_devices(self) -> list[dict[str, Any]]:
        return [
            {
                "index": index,
                "name": name,
                "max_input_channels": inputs,
                "max_output_channels": outputs,
                "default_samplerate": rate,
            }
            for index, (name, inputs, outputs, rate, _) in enumerate(self.devices)
        ]

    def check_input_settings(self, **wanted: Any) -> None:
        if wanted["samplerate"] not in self.devices[wanted["device"]][4]:
            raise PortAudioError("Invalid sample rate", -9997)

    check_output_settings = check_input_settings

    def _terminate(self) -> None:
        assert not self.open, "it would take the streams with it"

    def _initialize(self) -> None:
        self.begun += 1

    def RawInputStream(self, **how: Any) -> Any:
        if self.is_busy:
            raise PortAudioError("Error opening RawInputStream: Device unavailable", -9985)

        def close() -> None:
            self.open.remove(how)

        return SimpleNamespace(
            start=lambda: self.open.append(how), abort=lambda: None, close=close, active=True
        )

    RawOutputStream = RawInputStream


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakeLibrary:
    library = FakeLibrary()
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    return library


def nothing(*_: object) -> None:
    pass


async def test_auto_is_the_systems_own(library: FakeLibrary) -> None:
    library.default.device = (1, 0)
    audio = PortAudio()
    assert (await audio.find("input", "auto", 16_000)).name == "USB Speakerphone"
    assert (await audio.find("output", "auto", 48_000)).name == "HDA Intel"


async def test_a_name_need_not_be_whole(library: FakeLibrary) -> None:
    assert (await PortAudio().find("input", "speakerph", 16_000)).name == "USB Speakerphone"


async def test_a_rate_that_it_does_not_have_is_its_own(library: FakeLibrary) -> None:
    assert (await PortAudio().find("input", "HDA", 16_000)).rate_hz == 48_000


@pytest.mark.parametrize(
    ("wish", "why"), [("auto", "this system has none"), ("jabra", "with 'jabra' in")]
)
async def test_a_device_that_is_absent_is_said(library: FakeLibrary, wish: str, why: str) -> None:
    library.devices, library.default.device = [], (-1, -1)
    with pytest.raises(NoDevice, match=why):
        await PortAudio().find("input", wish, 16_000)


async def test_without_portaudio_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(NoDevice, match="apt install libportaudio2"):
        await PortAudio().find("input", "auto", 16_000)


async def test_what_is_opened_is_closed(library: FakeLibrary) -> None:
    async with PortAudio().open("input", "auto", 16_000, nothing) as stream:
        (how,) = library.open
        assert (how["samplerate"], how["blocksize"], how["dtype"]) == (48_000, 960, "int16")
        assert stream.is_active
    assert library.open == []


async def test_a_device_that_is_in_use_says_so(library: FakeLibrary) -> None:
    library.is_busy = True
    with pytest.raises(AudioError, match="HDA Intel: cannot be opened: Device unavailable"):
        async with PortAudio().open("input", "auto", 16_000, nothing):
            pass


async def test_new_devices_are_looked_for_after_a_failure_when_nothing_is_open(
    library: FakeLibrary,
) -> None:
    audio = PortAudio()
    with pytest.raises(NoDevice):
        await audio.find("output", "jabra", 48_000)
    async with audio.open("input", "auto", 16_000, nothing):
        begun = library.begun
        with pytest.raises(NoDevice):
            await audio.find("output", "jabra", 48_000)
        assert (library.begun, audio.is_stale) == (begun, True)
    library.devices.append(("Jabra", 1, 1, 48_000.0, {48_000}))
    assert (await audio.find("output", "jabra", 48_000)).name == "Jabra"
    assert (library.begun, audio.is_stale) == (begun + 1, False)


@pytest.mark.real_time
async def test_a_call_that_hangs_for_long_is_death(
    library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portaudio, "HANGS_S", 0.0)
    called, returned = threading.Event(), threading.Event()

    def query_devices() -> list[dict[str, Any]]:
        called.set()
        returned.wait()
        return []

    audio = PortAudio()
    assert audio.is_alive()
    monkeypatch.setattr(library, "query_devices", query_devices)
    async with Scope() as scope:
        finding = scope.start(audio.find("input", "auto", 16_000), "finding")
        await asyncio.to_thread(called.wait)
        assert not audio.is_alive()
        returned.set()
        with pytest.raises(NoDevice):
            await finding
    assert audio.is_alive()


@pytest.mark.real_time
async def test_a_device_whose_opening_is_not_waited_for_is_closed_again(
    library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    called, going_on = threading.Event(), threading.Event()
    check = library.check_input_settings

    def slowly(**wanted: Any) -> None:
        called.set()
        going_on.wait()
        check(**wanted)

    monkeypatch.setattr(library, "check_input_settings", slowly)
    async with AsyncExitStack() as stack, Scope() as scope:
        opened = PortAudio().open("input", "auto", 48_000, nothing)
        opening = scope.start(stack.enter_async_context(opened), "opening")
        await asyncio.to_thread(called.wait)
        opening.cancel()
        going_on.set()
        await asyncio.wait([opening])
        assert opening.cancelled()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert library.open == []

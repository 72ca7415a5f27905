"""PortAudio, through `sounddevice`: the only file that knows it. Its calls block, so they are made in a thread."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from airos_edge.errors import AirosError
from airos_edge.voice.flow import Scope

T = TypeVar("T")
Kind = Literal["input", "output"]
AUTO = "auto"
BLOCK_MS = 20
BUFFER_S = {"input": 0.1, "output": 0.06}
"""How much lies between the sound card and us: for the loudspeaker what cannot be called back any more,
for the microphone what may wait while this process is kept from its work."""
HANGS_S = 30.0
NO_LIBRARY = (
    "PortAudio is not installed, so there is no local sound; install it: apt install libportaudio2"
)


class AudioError(AirosError):
    """A microphone or loudspeaker that is not there, or does not work."""


class NoDevice(AudioError):
    """There is none of this name, or none at all; or nothing to find it with."""


@dataclass(frozen=True, slots=True)
class Device:
    index: int
    name: str
    rate_hz: int
    channels: int


class Stream:
    """An open device. `is_active` is False once PortAudio has given it up."""

    def __init__(self, device: Device, stream: Any) -> None:
        self.device = device
        self._stream = stream

    @property
    def is_active(self) -> bool:
        return bool(self._stream.active)


class PortAudio:
    """One for the box. Devices that come later are seen only after it was begun anew, for which all
    its streams must be closed: so that happens when something is opened and nothing else is open."""

    def __init__(self) -> None:
        self._library: Any = None
        self._calling = asyncio.Lock()
        self._open = 0
        self.is_stale = False
        """Whether something could not be opened, so that there may be other devices by now."""
        self._called_at: float | None = None

    def is_alive(self) -> bool:
        """False while a call hangs that should have returned long ago: nothing is opened any more then, and
        a thread cannot be ended."""
        now = asyncio.get_running_loop().time()
        return self._called_at is None or now - self._called_at < HANGS_S

    async def find(self, kind: Kind, wish: str, rate_hz: int) -> Device:
        """The device, with the rate that it is opened with: this one, or its own. Raises AudioError."""
        async with self._calling:
            return await self._call(self._find, kind, wish, rate_hz)

    @asynccontextmanager
    async def open(
        self, kind: Kind, wish: str, rate_hz: int, handle: Callable[..., None]
    ) -> AsyncIterator[Stream]:
        """A running stream. `handle` is PortAudio's callback, called in a thread of its own.

        Raises AudioError.
        """
        async with self._calling, Scope() as scope:
            call = self._call(self._start, kind, wish, rate_hz, handle)
            starting = scope.start(call, f"opening the {kind}")
            try:
                stream = await asyncio.shield(starting)
            except (
                asyncio.CancelledError
            ):  # the thread goes on, and a device that nobody has stays open
                with suppress(AudioError):
                    await self._call(self._stop, await starting)
                raise
            self._open += 1
        try:
            yield stream
        finally:
            await asyncio.shield(self._close(stream))

    async def _close(self, stream: Stream) -> None:
        async with self._calling:
            self._open -= 1
            await self._call(self._stop, stream)

    async def _call(self, call: Callable[..., T], *arguments: Any) -> T:
        self._called_at = asyncio.get_running_loop().time()
        try:
            return await asyncio.to_thread(quietly, call, *arguments)
        finally:
            self._called_at = None

    # ---- in a thread ----

    def _find(self, kind: Kind, wish: str, rate_hz: int) -> Device:
        library = self._begun()
        try:
            return _device(library, kind, wish, rate_hz)
        except AudioError:
            self.is_stale = True
            raise

    def _start(self, kind: Kind, wish: str, rate_hz: int, handle: Callable[..., None]) -> Stream:
        device = self._find(kind, wish, rate_hz)
        make = self._library.RawInputStream if kind == "input" else self._library.RawOutputStream
        try:
            stream = make(
                samplerate=device.rate_hz,
                blocksize=device.rate_hz * BLOCK_MS // 1000,
                device=device.index,
                channels=device.channels,
                dtype="int16",
                latency=BUFFER_S[kind],
                callback=handle,
            )
            stream.start()
        except self._library.PortAudioError as error:
            self.is_stale = True
            raise AudioError(f"{device.name}: cannot be opened: {_reason(error)}") from error
        self.is_stale = False
        return Stream(device, stream)

    def _stop(self, stream: Stream) -> None:
        try:
            stream._stream.abort()
            stream._stream.close()
        except self._library.PortAudioError:
            self.is_stale = True

    def _begun(self) -> Any:
        if self._library is None:
            try:
                import sounddevice
            except OSError as error:  # the package is there, the library that it loads is not
                raise NoDevice(NO_LIBRARY) from error
            self._library = sounddevice
        elif self.is_stale and not self._open:
            self._library._terminate()
            self._library._initialize()
            self.is_stale = False
        return self._library


def quietly(call: Callable[..., T], *arguments: Any) -> T:
    """Calls it without what ALSA and PortAudio write to stderr: a dozen lines for each device that fails.

    It is the whole process's stderr that is shut meanwhile; the log has a descriptor of its own.
    """
    stderr = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        return call(*arguments)
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _device(library: Any, kind: Kind, wish: str, rate_hz: int) -> Device:
    able = f"max_{kind}_channels"
    found = [one for one in library.query_devices() if one[able] > 0]
    if wish == AUTO:
        default = library.default.device[0 if kind == "input" else 1]
        found = [one for one in found if one["index"] == default]
    else:
        found = [one for one in found if wish.casefold() in one["name"].casefold()]
    if not found:
        raise NoDevice(
            "this system has none" if wish == AUTO else f"there is none with {wish!r} in its name"
        )
    check = library.check_input_settings if kind == "input" else library.check_output_settings
    one = found[0]
    for rate in (rate_hz, int(one["default_samplerate"])):
        for channels in (1, min(2, one[able])):
            try:
                check(device=one["index"], channels=channels, dtype="int16", samplerate=rate)
            except library.PortAudioError as error:
                reason = _reason(error)
                continue
            return Device(one["index"], one["name"], rate, channels)
    raise AudioError(f"{one['name']}: cannot be opened: {reason}")


def _reason(error: Exception) -> str:
    """PortAudio's own words, without the number."""
    return str(error.args[0]).split(": ", 1)[-1] if error.args else type(error).__name__

"""The loudspeaker: each reply, announcement and chime has a mouth; one stream plays what they say together."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from airos_edge.health import State
from airos_edge.local.mixer import FULL_SCALE, Mixer
from airos_edge.local.portaudio import AudioError, PortAudio, Stream
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ports import Says, Speech

log = logging.getLogger(__name__)

RATE_HZ = 48_000
"""What nearly every loudspeaker plays; the device's own rate where it does not."""
LEAD_MS = 200
"""How much speech waits for the sound card: enough for a busy moment of the loop."""
IDLE_S = 10.0
"""After so long a silence the stream is closed, so that a quiet box does no work for it."""
LOOK_S = 0.25
STANDS_S = 2.0
"""A sound card that takes nothing for so long, not even silence, stands still: nobody is to wait for it."""
BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 60.0


class Speaker:
    """`keep` runs beside it. `linger_ms`: `drain` waits so much longer, until the box's own ears have
    heard the end, too."""

    def __init__(
        self,
        audio: PortAudio,
        wish: str,
        rate_hz: int,
        report: Callable[[State, str], None],
        linger_ms: int = 0,
    ) -> None:
        self.underruns = 0
        """How often the sound card was not given its sound in time."""
        self.is_broken = False
        self.linger_ms = linger_ms
        self.delay_s = 0.0
        """How long what the sound card has taken is on its way to be heard."""
        self._loop = asyncio.get_running_loop()
        self.mixer = Mixer(rate_hz, self._moved_in_thread)
        self._audio = audio
        self._wish = wish
        self._report = report
        self._blocks = 0
        """How many the sound card has taken."""
        self._wanted = asyncio.Event()
        self._progress = asyncio.Event()

    def open(self, says: Says) -> "SpeakerMouth":
        """`OpenMouth`."""
        return SpeakerMouth(self)

    def play(self, sound: AudioChunk) -> None:
        """At once, over whatever else is heard; nobody waits for it."""
        mouth = SpeakerMouth(self)
        mouth.put(sound)
        mouth.end()

    def set_volume(self, pct: int) -> None:
        """0 to 100, in the steps in which it is heard: PulseAudio's, too, is the cube."""
        self.mixer.volume.target = (pct / 100) ** 3

    def want(self) -> None:
        """There is something to play."""
        self._wanted.set()

    async def progress(self) -> None:
        """Waits until something more was played, or never will be."""
        await self._progress.wait()

    def _moved_in_thread(self) -> None:
        self._loop.call_soon_threadsafe(self.moved)

    def moved(self) -> None:
        self._progress.set()
        self._progress = asyncio.Event()

    async def keep(self) -> None:
        """Opens the device whenever there is something to play, for ever.

        One that cannot be opened loses what it should have played; nobody is kept waiting for it.
        """
        backoff_s = BACKOFF_S
        while True:
            await self._wanted.wait()
            try:
                async with self._audio.open(
                    "output", self._wish, self.mixer.rate_hz, self._fill_in_thread
                ) as stream:
                    self._can_play(stream)
                    backoff_s = BACKOFF_S
                    await self._until_idle(stream)
            except AudioError as error:
                level = logging.DEBUG if self.is_broken else logging.WARNING
                log.log(level, "The loudspeaker: %s", error)
                self.is_broken = True
                self.mixer.drop()
                self._report("failed", str(error))
                self.moved()
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, LONGEST_BACKOFF_S)

    def _can_play(self, stream: Stream) -> None:
        if stream.device.rate_hz != self.mixer.rate_hz:
            raise AudioError(
                f"{stream.device.name}: does not play {self.mixer.rate_hz} Hz any more"
            )
        self.is_broken = False
        self._report("ok", "")

    async def _until_idle(self, stream: Stream) -> None:
        quiet_since = moved_at = self._loop.time()
        blocks = self._blocks
        while self._loop.time() - quiet_since < IDLE_S:
            await asyncio.sleep(LOOK_S)
            if not stream.is_active:
                raise AudioError(f"{stream.device.name}: the loudspeaker has gone")
            if self._blocks != blocks:
                blocks, moved_at = self._blocks, self._loop.time()
            elif self._loop.time() - moved_at > STANDS_S:
                raise AudioError(f"{stream.device.name}: the loudspeaker takes nothing any more")
            if self.mixer.is_playing:
                quiet_since = self._loop.time()
        self._wanted.clear()

    def _fill_in_thread(self, block: Any, frames: int, times: Any, status: Any) -> None:
        self._blocks += 1
        self.underruns += bool(status.output_underflow)
        self.delay_s = times.outputBufferDacTime - times.currentTime + frames / self.mixer.rate_hz
        block[:] = self.mixer.pull(frames)


class SpeakerMouth:
    """`Mouth`: what the sound card has taken counts as heard, since nothing can call it back."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._track = speaker.mixer.open()
        self._resampler: Any = None
        self._rate_hz = 0
        self._is_hushed = False

    async def play(self, speech: Speech) -> None:
        self.put(speech.chunk)
        await self._wait_until_queued(LEAD_MS)

    async def drain(self) -> int:
        self.end()
        await self._wait_until_queued(0)
        if not self._speaker.is_broken:
            await asyncio.sleep(self._speaker.delay_s + self._speaker.linger_ms / 1000)
        return self._heard_ms()

    def hush(self) -> int:
        if not self._is_hushed:
            self._is_hushed = True
            self._track.cut()
        return self._heard_ms()

    def duck(self, db: float) -> None:
        self._track.gain.target = 10 ** (-db / 20)

    def put(self, sound: AudioChunk) -> None:
        """Does not wait."""
        self._speaker.want()
        if self._track.is_ended or self._speaker.is_broken:
            return
        if sound.rate_hz != self._rate_hz:
            self._flush()
            self._rate_hz = sound.rate_hz
            self._resampler = _resampler(sound.rate_hz, self._speaker.mixer.rate_hz)
        self._add(self._resampler.resample_chunk(np.frombuffer(sound.pcm, "<i2")))

    def end(self) -> None:
        """Nothing more comes."""
        self._flush()
        self._track.is_ended = True

    def _flush(self) -> None:
        if self._resampler is not None and not self._track.is_ended:
            self._add(self._resampler.resample_chunk(np.zeros(0, np.int16), last=True))

    def _add(self, samples: "np.typing.NDArray[np.int16]") -> None:
        if len(samples):
            self._track.add(samples.astype(np.float32) / np.float32(FULL_SCALE))

    async def _wait_until_queued(self, ms: int) -> None:
        speaker = self._speaker
        while self._track.queued * 1000 > ms * speaker.mixer.rate_hz and not speaker.is_broken:
            await speaker.progress()

    def _heard_ms(self) -> int:
        frames = self._track.played + self._track.queued * self._is_hushed  # the fade is heard, too
        return round(frames * 1000 / self._speaker.mixer.rate_hz)


def _resampler(rate_hz: int, to_hz: int) -> Any:
    import soxr

    return soxr.ResampleStream(rate_hz, to_hz, 1, dtype="int16", quality="HQ")

"""What the loudspeaker plays: the sum of its tracks, taken block by block by the sound card's thread."""

import threading
from collections import deque
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

RAMP_MS = 10
"""So long does a change of loudness take that is to be no click."""
FADE_MS = 5
"""… and silence."""
FULL_SCALE = 32767


class Gain:
    """A factor that goes to where it is told to in steps too small to be heard."""

    def __init__(self, value: float, rate_hz: int) -> None:
        self.target = value
        self._value = value
        self._step = 1000 / (RAMP_MS * rate_hz)

    def over(self, frames: int) -> Samples | float:
        """The factor of each of the next frames."""
        if self._value == self.target:
            return self._value
        way = self.target - self._value
        steps = np.minimum(np.arange(1, frames + 1) * self._step, abs(way))
        ramp = self._value + np.sign(way) * steps
        self._value = float(ramp[-1]) if steps[-1] < abs(way) else self.target
        smooth: Samples = ramp.astype(np.float32)
        return smooth


class Track:
    """One who is heard. What it has is played once; `cut` takes back what was not yet taken."""

    def __init__(self, rate_hz: int, lock: threading.Lock) -> None:
        self.queued = 0
        """Frames that wait."""
        self.played = 0
        """Frames that the sound card has taken, which nothing can call back."""
        self.is_ended = False
        """Nothing more will be added."""
        self.gain = Gain(1.0, rate_hz)
        self._rate_hz = rate_hz
        self._lock = lock
        self._pieces: deque[Samples] = deque()

    def add(self, samples: Samples) -> None:
        with self._lock:
            self._pieces.append(samples)
            self.queued += len(samples)

    def drop(self) -> None:
        """Nobody will hear what waits. The lock is held by who calls."""
        self._pieces.clear()
        self.queued = 0

    def cut(self) -> None:
        """Silence after a fade, so that there is no click."""
        with self._lock:
            self.is_ended = True
            rest = self._next(self._rate_hz * FADE_MS // 1000)
            fade = rest * np.linspace(1, 0, len(rest), dtype=np.float32)
            self._pieces = deque([fade])
            self.queued = len(fade)

    def take(self, frames: int) -> Samples:
        """As many as there are, up to so many. The lock is held by who calls."""
        taken = self._next(frames)
        self.played += len(taken)
        self.queued -= len(taken)
        return taken * self.gain.over(len(taken)) if len(taken) else taken

    def _next(self, frames: int) -> Samples:
        pieces: list[Samples] = []
        while self._pieces and frames > 0:
            piece = self._pieces.popleft()
            if len(piece) > frames:
                self._pieces.appendleft(piece[frames:])
            pieces.append(piece[:frames])
            frames -= len(pieces[-1])
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


class Mixer:
    """`moved` is called in the sound card's thread after each block in which something was played."""

    def __init__(self, rate_hz: int, moved: Callable[[], None]) -> None:
        self.rate_hz = rate_hz
        self.volume = Gain(1.0, rate_hz)
        self._lock = threading.Lock()
        self._tracks: list[Track] = []
        self._moved = moved

    def open(self) -> Track:
        track = Track(self.rate_hz, self._lock)
        with self._lock:
            self._tracks.append(track)
        return track

    def drop(self) -> None:
        """There is no loudspeaker any more: what waits for it is lost."""
        with self._lock:
            for track in self._tracks:
                track.drop()

    @property
    def is_playing(self) -> bool:
        with self._lock:
            return any(track.queued for track in self._tracks)

    def pull(self, frames: int) -> bytes:
        """The next block: 16-bit mono."""
        mix = np.zeros(frames, np.float32)
        with self._lock:
            playing = [track for track in self._tracks if track.queued]
            self._tracks = [one for one in self._tracks if one.queued or not one.is_ended]
            for track in playing:
                samples = track.take(frames)
                mix[: len(samples)] += samples
        mix *= self.volume.over(frames)
        if playing:
            self._moved()
        return (np.clip(mix, -1, 1) * FULL_SCALE).astype("<i2").tobytes()

"""Who speaks: voices of espeak-ng and of Debian's flite, as samples at 16 kHz."""

import shutil
import subprocess
import tempfile
import wave
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from airos_edge.engines.espeak import load
from airos_edge.voice.audio import RATE_HZ

Samples = npt.NDArray[np.float32]

TUNE = (
    *("en-us", "en-gb", "en-us+f2", "en-us+m3", "en-gb+f4", "en-gb-scotland+m2", "en-gb-x-rp+f5"),
    *("flite:kal16", "flite:rms"),
)
"""Settings may be chosen on these."""
TEST = (
    *(
        "en-us+f3",
        "en-us+m7",
        "en-us+m1",
        "en-gb+m5",
        "en-gb+f1",
        "en-gb-x-rp",
        "en-gb-x-gbclan+m8",
    ),
)
HELD_OUT = ("flite:slt", "flite:awb")
"""No setting is chosen on these: an American woman and a Scottish man, pieced together from recordings."""
USUAL_WPM = 155
"""espeak-ng's rate that is taken for 1.0; flite has its own."""
BELOW_PEAK_DB = 40.0
"""What is quieter than the recording's peak by more than this is no speech any more."""


class NoVoice(RuntimeError):
    """flite is not installed: `make system-deps` installs it."""


def has_flite() -> bool:
    return shutil.which("flite") is not None


@lru_cache(maxsize=256)
def speech(text: str, voice: str, speed: float = 1.0) -> Samples:
    """The text, cut to what is audible; full scale is 1.0. Raises NoVoice."""
    name = voice.removeprefix("flite:")
    samples, rate_hz = _flite(text, name, speed) if name != voice else _espeak(text, voice, speed)
    resampled = soxr.resample(samples, rate_hz, RATE_HZ, "HQ")
    loudness = np.abs(resampled)
    audible = np.flatnonzero(loudness >= loudness.max() * 10 ** (-BELOW_PEAK_DB / 20))
    return np.asarray(resampled[audible[0] : audible[-1] + 1], np.float32)


def _espeak(text: str, voice: str, speed: float) -> tuple[Samples, int]:
    recording = load().say(text, voice, round(USUAL_WPM * speed))
    return np.frombuffer(bytes(recording.pcm), "<i2").astype(np.float32) / 32768, recording.rate_hz


def _flite(text: str, voice: str, speed: float) -> tuple[Samples, int]:
    if not has_flite():
        raise NoVoice("flite is missing: make system-deps")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        stretch = f"duration_stretch={1 / speed:.3f}"
        command = ["flite", "-voice", voice, "--setf", stretch, "-t", text, "-o", str(path)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        with wave.open(str(path)) as file:
            pcm = file.readframes(file.getnframes())
            return np.frombuffer(pcm, "<i2").astype(np.float32) / 32768, file.getframerate()

"""What is said to the daemon: recordings whose first and last sound are known to the sample."""

import base64
import json
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

RATE_HZ = 24_000
FRAME_MS = 20
FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000
ROOM_LSB = 30
"""The noise under every recording: digital silence is heard nowhere."""
BELOW_PEAK_DB = 40.0
"""What is quieter than the recording's peak by more than this is no speech any more."""
EXAMPLE = Path(__file__).parent.parent / "examples" / "turn-on-the-kitchen-light.wav"
VOICES = ("en-us", "en-gb", "en-us+f3")
SENTENCES = {
    # Each is complete: no sentence of the demonstration house goes on from there.
    "turn on the kitchen light": "Turned on",
    "turn off the bedroom fan": "Turned off",
    "turn on the coffee machine": "Turned on",
    "switch off the desk lamp": "Turned off",
}


@dataclass(frozen=True)
class Question:
    """Samples at 24 kHz, cut to what is audible: who plays it decides what is before and after."""

    text: str
    answer: str
    """What the answer begins with."""
    samples: Any

    @property
    def ms(self) -> float:
        return len(self.samples) * 1000 / RATE_HZ

    def played(self, before_ms: float, after_ms: float = 0) -> Any:
        """With quiet around it, and the room's noise in all of it."""
        quiet = [np.zeros(round(RATE_HZ * ms / 1000)) for ms in (before_ms, after_ms)]
        return in_the_room(np.concatenate([quiet[0], self.samples, quiet[1]]))


def edges(samples: Any, below_peak_db: float = BELOW_PEAK_DB) -> tuple[int, int]:
    """The first and the last sample that are at most so much quieter than the peak."""
    loudness = np.abs(np.asarray(samples, np.float64))
    audible = np.flatnonzero(loudness >= loudness.max() * 10 ** (-below_peak_db / 20))
    return int(audible[0]), int(audible[-1])


def questions() -> list[Question]:
    """The example recording, and each sentence by each voice of espeak-ng."""
    from airos_edge.engines.espeak import load

    espeak = load()
    with wave.open(str(EXAMPLE)) as file:
        example = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        asked = [_question("turn on the kitchen light", example, file.getframerate())]
    for place, text in enumerate(SENTENCES):
        for voice in VOICES[place % 2 :]:
            recording = espeak.say(text, voice, 150)
            samples = np.frombuffer(bytes(recording.pcm), "<i2")
            asked.append(_question(text, samples, recording.rate_hz))
    return asked


def _question(text: str, samples: Any, rate_hz: int) -> Question:
    import soxr

    resampled = soxr.resample(samples.astype(np.float32), rate_hz, RATE_HZ, "HQ")
    onset, end = edges(resampled)
    return Question(text, SENTENCES[text], resampled[onset : end + 1])


def in_the_room(samples: Any, lsb: float = ROOM_LSB) -> Any:
    noise = np.random.default_rng(7).normal(0, lsb, len(samples))
    return np.clip(samples + noise, -32768, 32767).astype("<i2")


def noise(ms: float, lsb: float = ROOM_LSB) -> Any:
    return in_the_room(np.zeros(round(RATE_HZ * ms / 1000)), lsb)


def frames(samples: Any) -> Iterator[str]:
    """As a Realtime client sends them: 20 ms each; what is left over at the end is not sent."""
    for start in range(0, len(samples) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        yield append(samples[start : start + FRAME_SAMPLES].tobytes())


def append(pcm: bytes) -> str:
    audio = base64.b64encode(pcm).decode()
    return json.dumps({"type": "input_audio_buffer.append", "audio": audio})

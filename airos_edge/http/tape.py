"""A mouth for who wants speech as a file."""

from dataclasses import dataclass, field

from airos_edge.voice.audio import BYTES_PER_SAMPLE, encode_wav
from airos_edge.voice.ports import Says, Speech


@dataclass(slots=True)
class Tape:
    """A mouth that keeps what is said and takes no time to say it."""

    pcm: bytearray = field(default_factory=bytearray)
    rate_hz: int = 0

    def open(self, says: Says) -> "Tape":
        return self

    async def play(self, speech: Speech) -> None:
        self.rate_hz = speech.chunk.rate_hz
        self.pcm += speech.chunk.pcm

    async def drain(self) -> int:
        return self._ms()

    def hush(self) -> int:
        return self._ms()

    def duck(self, db: float) -> None:
        """A tape has nobody who could be disturbed."""

    def wav(self) -> bytes:
        """What was said, as a WAV file; b"" if nothing was."""
        return encode_wav(bytes(self.pcm), self.rate_hz) if self.pcm else b""

    def _ms(self) -> int:
        return len(self.pcm) // BYTES_PER_SAMPLE * 1000 // self.rate_hz if self.rate_hz else 0

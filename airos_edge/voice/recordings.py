"""The sound of what was said, for who asks for it later: the newest, within a bound."""

from collections.abc import Iterable, Iterator

from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, samples_of

LONGEST_MS = 15_000
"""What is kept of one item: as 24 kHz PCM in base64 it is 960 kB, and fits into a frame of 1 MiB."""


class Recordings:
    """Of `most_bytes` (0: nothing is kept). Where there are more, the oldest item's are forgotten first."""

    def __init__(self, most_bytes: int = 0) -> None:
        self.most_bytes = most_bytes
        self._sounds: dict[str, list[AudioChunk]] = {}
        self._bytes = 0

    def add(self, item_id: str, sound: AudioChunk) -> None:
        """More of an item's sound; what is longer than `LONGEST_MS` is not kept."""
        room_ms = LONGEST_MS - sum(chunk.ms for chunk in self._sounds.get(item_id, ()))
        sound = _first(sound, room_ms)
        if not self.most_bytes or not sound.pcm:
            return
        self._sounds.setdefault(item_id, []).append(sound)
        self._bytes += len(sound.pcm)
        while self._bytes > self.most_bytes:
            self.forget(next(iter(self._sounds)))

    def of(self, item_id: str, heard_ms: float = LONGEST_MS) -> Iterator[AudioChunk]:
        """The item's sound in its first milliseconds; nothing, if it has been forgotten or never was."""
        for chunk in self._sounds.get(item_id, ()):
            piece = _first(chunk, heard_ms)
            if piece.pcm:
                yield piece
            heard_ms -= chunk.ms

    def forget(self, item_id: str) -> None:
        self._bytes -= _size(self._sounds.pop(item_id, ()))


def _first(sound: AudioChunk, ms: float) -> AudioChunk:
    end = max(0, samples_of(ms, sound.rate_hz)) * BYTES_PER_SAMPLE
    return sound if end >= len(sound.pcm) else AudioChunk(sound.pcm[:end], sound.rate_hz)


def _size(sounds: Iterable[AudioChunk]) -> int:
    return sum(len(chunk.pcm) for chunk in sounds)

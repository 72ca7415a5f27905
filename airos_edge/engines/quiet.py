"""Whether a room is quiet: nothing louder than its own noise. For work that is only worth it when not."""

import numpy as np

from airos_edge.voice.audio import BYTES_PER_SAMPLE, samples_of

BLOCK_MS, FRAME_MS = 80, 20
BLOCK_SAMPLES = samples_of(BLOCK_MS)
BLOCK_BYTES = BLOCK_SAMPLES * BYTES_PER_SAMPLE
FRAMES = BLOCK_MS // FRAME_MS
LOUDER = 2.0
"""A frame of so many times the noise's power (3 dB) is a sound. Steady noise stays within a third of
that; a word whose loudest 20 ms are no louder than the noise under them is not recognised anyway."""
LEAST_POWER = 10.0
"""What lies under -80 dBFS is taken for noise of that power, in squares of a 16-bit step."""
MEMORY_BLOCKS = 100
"""The noise is the quietest block of these 8 s: so long does it take until a new noise is known."""
HOLD_BLOCKS = 19
"""Quiet begins 1.5 s after the last sound: the models may want that much after a word."""


class Quiet:
    """One stream, judged block by block. At its begin nothing is known, and it is not quiet."""

    def __init__(self) -> None:
        self.is_quiet = False
        self.samples = 0
        """How many were judged until now."""
        self._rest = b""
        self._powers: list[float] = []
        self._hold = MEMORY_BLOCKS

    def feed(self, pcm: bytes) -> None:
        """16 kHz audio of any length; once for each 80 ms of it, `is_quiet` may change."""
        pcm = self._rest + pcm
        ends = range(BLOCK_BYTES, len(pcm) + 1, BLOCK_BYTES)
        self._rest = pcm[len(ends) * BLOCK_BYTES :]
        for end in ends:
            self._judge(np.frombuffer(pcm[end - BLOCK_BYTES : end], "<i2"))

    def _judge(self, block: "np.typing.NDArray[np.int16]") -> None:
        frames = block.reshape(FRAMES, -1).astype(np.float32)
        frames -= frames.mean()  # microphones add a constant
        powers = np.einsum("ij,ij->i", frames, frames) / frames.shape[1]
        self._powers = [*self._powers[1 - MEMORY_BLOCKS :], float(powers.mean())]
        noise = max(LEAST_POWER, min(self._powers))
        self._hold = HOLD_BLOCKS if powers.max() > LOUDER * noise else self._hold - 1
        self.is_quiet = self._hold < 0
        self.samples += block.size

"""What the commands do with speech: save it, play it where there is a speaker."""

import shutil
import subprocess
import tempfile
from argparse import Namespace
from pathlib import Path

from airos_edge.errors import AirosError

PLAYERS = (("pw-play",), ("paplay",), ("aplay", "-q"))
"""Programs that play a WAV file: PipeWire's, PulseAudio's, ALSA's."""
PLAY_LIMIT_S = 120


def hand_over(wav: bytes, arguments: Namespace) -> None:
    """Raises AirosError when the file cannot be written; a missing speaker is no error."""
    if arguments.save:
        try:
            arguments.save.write_bytes(wav)
        except OSError as error:
            raise AirosError(f"{arguments.save}: cannot write: {error.strerror}") from error
    elif wav and not arguments.quiet:
        _play(wav)


def _play(wav: bytes) -> None:
    player = next((command for command in PLAYERS if shutil.which(command[0])), None)
    if player is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "speech.wav"
        file.write_bytes(wav)
        try:
            subprocess.run(
                [*player, str(file)], capture_output=True, timeout=PLAY_LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired:
            return

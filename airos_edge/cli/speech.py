"""What the commands do with speech: save it, play it where there is a speaker."""

import io
import shutil
import subprocess
import tempfile
import wave
from argparse import Namespace
from pathlib import Path

from airos_edge.errors import AirosError

PLAYERS = (("pw-play",), ("paplay",), ("aplay", "-q"))
"""Programs that play a WAV file: PipeWire's, PulseAudio's, ALSA's. They may be there and play nothing."""
SLACK_S = 5
"""How much longer than the speech a player may take."""


def refuse_unwritable(save: Path | None) -> None:
    """Raises AirosError when the file cannot be there, before anything is done for it."""
    if save is None:
        return
    if save.is_dir():
        raise AirosError(f"{save}: cannot write: it is a directory")
    if not save.parent.is_dir():
        raise AirosError(f"{save}: cannot write: there is no directory {save.parent}")


def hand_over(wav: bytes, arguments: Namespace) -> bool:
    """Writes it to the file of --save, and plays it unless --quiet; whether either was done or none was wanted.

    A missing speaker is no error. Raises AirosError when the file cannot be written, or there is
    nothing to write.
    """
    if arguments.save:
        _save(wav, arguments.save)
    if arguments.quiet or not wav:
        return True
    return _play(wav) or bool(arguments.save)


def _save(wav: bytes, path: Path) -> None:
    if not wav:
        raise AirosError(f"{path}: not written: nothing was spoken")
    try:
        path.write_bytes(wav)
    except OSError as error:
        raise AirosError(f"{path}: cannot write: {error.strerror}") from error


def _play(wav: bytes) -> bool:
    """Whether a player played it. One that fails has no speaker, and another may."""
    with wave.open(io.BytesIO(wav)) as sound:
        limit_s = sound.getnframes() / sound.getframerate() + SLACK_S
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "speech.wav"
        file.write_bytes(wav)
        return any(
            _plays([*command, str(file)], limit_s)
            for command in PLAYERS
            if shutil.which(command[0])
        )


def _plays(command: list[str], limit_s: float) -> bool:
    nothing = subprocess.DEVNULL
    try:
        ended = subprocess.run(
            command, stdin=nothing, stdout=nothing, stderr=nothing, timeout=limit_s, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0

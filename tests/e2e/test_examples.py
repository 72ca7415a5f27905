"""The examples, run as they are."""

import subprocess
import sys
import wave
from pathlib import Path

from tests.e2e.conftest import StartDaemon

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_a_question_is_asked_aloud(start_daemon: StartDaemon, tmp_path: Path) -> None:
    daemon = start_daemon("--demo")
    question = EXAMPLES / "turn-on-the-kitchen-light.wav"
    command = [sys.executable, str(EXAMPLES / "ask_aloud.py"), str(question), daemon.url]
    result = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "You said:   turn on the kitchen light" in result.stdout
    assert "It answers: Turned on the light, in the demo house" in result.stdout
    with wave.open(str(tmp_path / "answer.wav")) as answer:
        assert answer.getnframes() > answer.getframerate()

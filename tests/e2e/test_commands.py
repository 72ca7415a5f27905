"""What a person types, against a daemon and without one."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.e2e.conftest import StartDaemon
from tests.speech import spoken

SAMPLE = Path(__file__).parents[2] / "examples" / "turn-on-the-kitchen-light.wav"


def test_a_recording_is_answered(start_daemon: StartDaemon, tmp_path: Path) -> None:
    daemon = start_daemon("--demo")
    saved = tmp_path / "answer.wav"
    result = daemon.airos("ask", str(SAMPLE), "--json", "--quiet", "--save", str(saved))
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["transcript"] == "turn on the kitchen light"
    assert answer["intent"] == "HassTurnOn"
    assert answer["slots"] == {"name": "kitchen light"}
    assert answer["answer"] == "Turned on the light, in the demo house"
    assert (answer["tier"], answer["left"]) == ("commands", "nothing")
    assert set(answer["stages_ms"]) == {"recognise", "respond", "speak", "done"}
    with wave.open(str(saved)) as speech:
        assert speech.getnframes() > speech.getframerate()
    state = json.loads(daemon.airos("ask", "is the kitchen light on", "--json").stdout)
    assert state["answer"].startswith("Yes")


def test_without_a_daemon_the_engines_are_opened_for_the_question(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon("--demo")
    daemon.stop()
    result = daemon.airos("ask", str(SAMPLE), "--demo", "--quiet")
    assert result.returncode == 0, result.stderr
    assert "turn on the kitchen light" in result.stdout
    assert "Turned on the light" in result.stdout
    assert "commands, nothing left this box" in result.stdout


@pytest.mark.parametrize(
    ("rate_hz", "channels", "kind"), [(48_000, 2, "FLOAT"), (44_100, 1, "PCM_24")]
)
def test_a_recording_of_another_kind_is_understood_too(
    start_daemon: StartDaemon, tmp_path: Path, rate_hz: int, channels: int, kind: str
) -> None:
    daemon = start_daemon("--demo")
    file = tmp_path / "question.wav"
    speech = spoken("turn on the kitchen light", before_ms=300, after_ms=500, rate_hz=rate_hz)
    samples = np.repeat(speech.as_floats()[:, None], channels, axis=1)
    soundfile.write(file, samples, rate_hz, subtype=kind)
    result = daemon.airos("ask", str(file), "--json", "--quiet")
    assert json.loads(result.stdout)["transcript"] == "turn on the kitchen light"


def test_spoken_commands_are_understood(start_daemon: StartDaemon, tmp_path: Path) -> None:
    daemon = start_daemon("--demo")
    wanted = {
        "turn on the kitchen light": "HassTurnOn",
        "turn off the bedroom lamp": "HassTurnOff",
        "turn on the lights": "HassTurnOn",
        "turn all the lights off": "HassTurnOff",
        "what time is it": "HassGetCurrentTime",
        "what's the date": "HassGetCurrentDate",
        "set the brightness of the kitchen light to fifty percent": "HassLightSet",
        "is the kitchen light on": "HassGetState",
        "set a timer for five minutes": "HassStartTimer",
        "how long is left on the timer": "HassTimerStatus",
        "cancel the timer": "HassCancelTimer",
        "never mind": "HassNevermind",
    }
    heard = {}
    for number, sentence in enumerate(wanted):
        file = tmp_path / f"{number}.wav"
        with wave.open(str(file), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(16000)
            out.writeframes(spoken(sentence, before_ms=300, after_ms=500).pcm)
        heard[sentence] = json.loads(daemon.airos("ask", str(file), "--json", "--quiet").stdout)[
            "intent"
        ]
    assert heard == wanted


def test_a_text_is_spoken(start_daemon: StartDaemon, tmp_path: Path) -> None:
    daemon = start_daemon()
    saved = tmp_path / "said.wav"
    assert daemon.airos("say", "good morning", "--quiet", "--save", str(saved)).returncode == 0
    with wave.open(str(saved)) as speech:
        assert 0.3 < speech.getnframes() / speech.getframerate() < 3


def test_what_is_no_audio_is_refused_in_a_sentence(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    daemon = start_daemon()
    for name, content in {"empty.wav": b"", "text.wav": b"good morning"}.items():
        file = tmp_path / name
        file.write_bytes(content)
        result = daemon.airos("ask", str(file))
        assert result.returncode == 1
        assert len(result.stderr.splitlines()) == 1
        assert "empty" in result.stderr or "not audio" in result.stderr
    missing = daemon.airos("ask", str(tmp_path / "missing.wav"))
    assert (missing.returncode, len(missing.stderr.splitlines())) == (1, 1)


def test_check_shows_the_configuration_and_the_engines(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(config="name: Maison\n")
    result = daemon.airos("check")
    assert result.returncode == 0
    assert "name: Maison" in result.stdout
    assert "pocketsphinx" in result.stdout
    assert "the daemon runs with this configuration" in result.stdout
    Path(daemon.environment["AIROS_CONFIG"]).write_text("name: Casa\n")
    result = daemon.airos("check")
    assert "the daemon runs with another configuration; different: name" in result.stdout


def test_a_reload_changes_what_the_file_changes(start_daemon: StartDaemon) -> None:
    house = "home: {areas: [{name: attic}], devices: [{name: attic light, area: attic}]}\n"
    daemon = start_daemon(config="name: Airos\n", expect_warnings=True)
    config = Path(daemon.environment["AIROS_CONFIG"])
    before = json.loads(daemon.airos("ask", "turn on the attic light", "--json").stdout)
    assert before["intent"] is None
    config.write_text(house)
    assert daemon.airos("reload").stdout.strip() == "home"
    after = json.loads(daemon.airos("ask", "turn on the attic light", "--json").stdout)
    assert after["intent"] == "HassTurnOn"
    config.write_text("home: [\n")
    refused = daemon.airos("reload")
    assert refused.returncode == 1
    assert "config.yaml:2:1" in refused.stderr
    again = json.loads(daemon.airos("ask", "turn on the attic light", "--json").stdout)
    assert again["intent"] == "HassTurnOn"


def test_without_a_daemon_a_reload_says_how_to_start_one(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    daemon.stop()
    result = daemon.airos("reload")
    assert result.returncode == 1
    assert "airos run" in result.stderr

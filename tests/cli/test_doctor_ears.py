"""`airos doctor`: what is expected of a recording by its name, what is shown, and the exit code."""

import json
from pathlib import Path

import pytest

from airos_edge.cli import main
from airos_edge.cli.doctor_ears import text_of
from airos_edge.voice.audio import AudioChunk, encode_wav
from tests.speech import noise, spoken

Shown = pytest.CaptureFixture[str]


@pytest.fixture
def folder(runtime: Path) -> Path:
    (runtime / "mine" / "other").mkdir(parents=True)
    return runtime / "mine"


def keep(path: Path, sound: AudioChunk) -> None:
    path.write_bytes(encode_wav(sound.pcm, 16_000))


def says(text: str) -> AudioChunk:
    return spoken(text, before_ms=300, after_ms=900)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("turn on the light.wav", "turn on the light"),
        ("turn on the light (2).wav", "turn on the light"),
        ("turn on the light - anna.wav", "turn on the light"),
        ("turn_on_the_light_-_anna.wav", "turn on the light"),
        ("turn_on_the_light_(2).wav", "turn on the light"),
        ("anna/what's the time.flac", "what's the time"),
        ("other/turn on the light.wav", None),
        ("anna/other/talk.wav", None),
        ("other.wav", "other"),
    ],
)
def test_a_recordings_name_says_what_is_expected(name: str, text: str | None) -> None:
    assert text_of(Path(name)) == text


def test_every_recording_is_a_line_and_then_they_are_summed_up(folder: Path, capsys: Shown) -> None:
    keep(folder / "switch the kitchen light on.wav", says("turn on the kitchen light"))
    keep(folder / "turn off the kitchen light.wav", says("turn on the kitchen light"))
    keep(folder / "what time is it - nobody.wav", noise(1000))
    keep(folder / "other" / "rain.wav", noise(1000))
    keep(folder / "other" / "television.wav", says("turn on the kitchen light"))
    assert main(["doctor", "--ears", str(folder), "--demo"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    files, totals = out.split("\n\n")
    heard = "heard 'turn on the kitchen light'"
    assert [(line[:14].strip(), line[24:]) for line in files.splitlines()] == [
        ("ignored", "other/rain.wav"),
        ("acted on talk", f"other/television.wav: {heard}"),
        ("right", "switch the kitchen light on.wav"),
        ("wrong command", f"turn off the kitchen light.wav: {heard}"),
        ("not understood", "what time is it - nobody.wav: heard nothing"),
    ]
    assert files.splitlines()[2][14:22].endswith(" ms")
    assert totals.splitlines()[:6] == [
        "Commands        3",
        "  right         1 (33 %), by intent and slots",
        "  wrong         1 (33 %)",
        "  asked back    0 (0 %)",
        "  rejected      1 (33 %)",
        "  cut off early 0 (0 %)",
    ]
    assert totals.splitlines()[6].startswith("  closed        ")
    assert totals.splitlines()[7:] == ["Talk            2", "  acted on      1 (50 %)"]


def test_as_json_it_is_one_object(folder: Path, capsys: Shown) -> None:
    keep(folder / "turn on the kitchen light.wav", says("turn on the kitchen light"))
    (folder / "what time is it.wav").write_text("no audio")
    assert main(["doctor", "--ears", str(folder), "--demo", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    (file,) = report["files"]
    assert 0 < file.pop("closing_ms") < 500
    assert file == {
        "file": "turn on the kitchen light.wav",
        "text": "turn on the kitchen light",
        "verdict": "right",
        "heard": ["turn on the kitchen light"],
        "understood": [{"intent": "HassTurnOn", "slots": {"name": "kitchen light"}}],
        "cut_off": False,
    }
    (skipped,) = report["skipped"]
    assert skipped["file"] == "what time is it.wav"
    assert report["summary"]["right"] == report["summary"]["commands"] == 1


def test_what_cannot_be_scored_is_named_and_the_others_go_on(folder: Path, capsys: Shown) -> None:
    keep(folder / "feed the cat.wav", noise(100))
    (folder / "stop.wav").write_bytes(b"")
    (folder / "turn on the light.wav").mkdir()
    (folder / "notes.txt").write_text("not a recording, and not named like one")
    keep(folder / "other" / "rain.wav", noise(1000))
    assert main(["doctor", "--ears", str(folder), "--demo"]) == 0
    out = capsys.readouterr().out
    assert "skipped " in out
    assert "feed the cat.wav: the house does not understand 'feed the cat'\n" in out
    assert "stop.wav: the file is empty\n" in out
    assert "turn on the light.wav: this is a directory, no recording\n" in out
    assert "notes" not in out
    assert out.endswith("Skipped         3\n")


def test_a_house_without_devices_is_named_as_the_reason(folder: Path, capsys: Shown) -> None:
    keep(folder / "turn on the kitchen light.wav", noise(100))
    assert main(["doctor", "--ears", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert "it has no devices, --demo brings some" in out
    assert "none of 1 recordings could be scored: the house does not understand" in err


def test_a_folder_without_recordings_says_how_they_are_named(folder: Path, capsys: Shown) -> None:
    assert main(["doctor", "--ears", str(folder)]) == 1
    err = capsys.readouterr().err
    assert "there is no recording in it" in err
    assert '"turn on the kitchen light - anna.wav"' in err


def test_what_is_no_folder_is_said(runtime: Path, capsys: Shown) -> None:
    assert main(["doctor", "--ears", "missing"]) == 1
    assert capsys.readouterr().err.startswith("airos: missing: this is no directory")

"""Mute and volume: told, done, and found again after a restart."""

from pathlib import Path

import pytest

from airos_edge.local.controls import FILE, Controls
from airos_edge.voice.events import Event, MuteChanged, VolumeChanged


def controls(state: Path | None, told: list[Event] | None = None) -> Controls:
    return Controls(80, state, (told if told is not None else []).append)


def test_a_change_is_made_and_told_once() -> None:
    told: list[Event] = []
    made: list[object] = []
    mine = controls(None, told)
    mine.set_mute, mine.set_loudness = made.append, made.append
    for _ in range(2):
        mine.mute(True)
        mine.set_volume(30)
    assert made == [True, 30]
    assert told == [MuteChanged(is_muted=True), VolumeChanged(volume_pct=30)]
    assert (mine.is_muted, mine.volume_pct) == (True, 30)


@pytest.mark.parametrize(("wanted", "got"), [(-5, 0), (101, 100), (64, 64)])
def test_a_volume_is_a_percentage(wanted: int, got: int) -> None:
    mine = controls(None)
    mine.set_volume(wanted)
    assert mine.volume_pct == got


def test_they_are_found_again(tmp_path: Path) -> None:
    mine = controls(tmp_path)
    assert (mine.is_muted, mine.volume_pct) == (False, 80)
    mine.mute(True)
    mine.set_volume(30)
    again = controls(tmp_path)
    assert (again.is_muted, again.volume_pct) == (True, 30)
    again.mute(False)
    assert not controls(tmp_path).is_muted


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"muted": "no", "volume_pct": 900}', '{"volume_pct": true}']
)
def test_what_cannot_be_read_is_the_usual(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    mine = controls(tmp_path)
    assert (mine.is_muted, mine.volume_pct) == (False, 80)


def test_the_directory_need_not_be_there(tmp_path: Path) -> None:
    controls(tmp_path / "state" / "airos").mute(True)
    assert controls(tmp_path / "state" / "airos").is_muted


def test_where_nothing_can_be_kept_it_is_muted_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    mine = controls(tmp_path / "file" / "state")
    mine.mute(True)
    assert mine.is_muted
    assert "cannot be written" in caplog.text

"""Where the speech of an answer goes."""

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest

from airos_edge.cli import speech
from airos_edge.cli.speech import hand_over, refuse_unwritable
from airos_edge.errors import AirosError
from tests.cli.conftest import WAV

Player = Callable[..., Path]


def wanted(save: Path | None = None, quiet: bool = False) -> Namespace:
    return Namespace(save=save, quiet=quiet)


@pytest.mark.parametrize("name", ["pw-play", "paplay", "aplay"])
def test_the_player_that_is_there_plays_it(player: Player, name: str) -> None:
    played = player(name)
    assert hand_over(WAV, wanted()) is True
    assert played.read_bytes() == WAV


def test_of_several_players_one_plays_it(player: Player) -> None:
    first, second = player("pw-play"), player("aplay")
    assert hand_over(WAV, wanted()) is True
    assert first.read_bytes() == WAV
    assert not second.exists()


def test_a_player_that_finds_no_speaker_leaves_it_to_the_next(player: Player) -> None:
    player("pw-play", exit_code=1)
    played = player("aplay")
    assert hand_over(WAV, wanted()) is True
    assert played.read_bytes() == WAV


def test_a_player_that_cannot_be_started_leaves_it_to_the_next(
    player: Player, runtime: Path
) -> None:
    played = player("aplay")
    player("pw-play")
    (runtime / "bin" / "pw-play").write_bytes(b"\x7fELF of another machine")
    assert hand_over(WAV, wanted()) is True
    assert played.read_bytes() == WAV


@pytest.mark.real_time
def test_a_player_that_hangs_is_not_waited_for_for_ever(
    player: Player, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech, "SLACK_S", 0)
    player("pw-play")
    (runtime / "bin" / "pw-play").write_text("#!/bin/sh\nexec /bin/sleep 30\n")
    assert hand_over(WAV, wanted()) is False


def test_where_nothing_plays_nobody_hears_it_and_that_is_no_error(player: Player) -> None:
    assert hand_over(WAV, wanted()) is False
    player("aplay", exit_code=1)
    assert hand_over(WAV, wanted()) is False


def test_quiet_is_quiet(player: Player) -> None:
    played = player("aplay")
    assert hand_over(WAV, wanted(quiet=True)) is True
    assert not played.exists()


def test_saved_it_is_played_too_unless_it_shall_be_quiet(player: Player, tmp_path: Path) -> None:
    played, saved = player("aplay"), tmp_path / "answer.wav"
    assert hand_over(WAV, wanted(saved)) is True
    assert saved.read_bytes() == played.read_bytes() == WAV
    assert hand_over(WAV, wanted(saved, quiet=True)) is True
    assert played.read_bytes() == WAV


def test_saved_it_went_where_it_was_wanted_though_nothing_plays(tmp_path: Path) -> None:
    assert hand_over(WAV, wanted(tmp_path / "answer.wav")) is True


def test_no_speech_is_not_played(player: Player) -> None:
    played = player("aplay")
    assert hand_over(b"", wanted()) is True
    assert not played.exists()


def test_no_speech_is_not_saved_as_an_empty_file(tmp_path: Path) -> None:
    saved = tmp_path / "answer.wav"
    with pytest.raises(AirosError, match=r"answer\.wav: not written: nothing was spoken"):
        hand_over(b"", wanted(saved))
    assert not saved.exists()


def test_a_place_that_cannot_be_written_is_named_beforehand(tmp_path: Path) -> None:
    refuse_unwritable(None)
    refuse_unwritable(tmp_path / "answer.wav")
    refuse_unwritable(Path("answer.wav"))
    with pytest.raises(AirosError, match=r"there is no directory .*missing"):
        refuse_unwritable(tmp_path / "missing" / "answer.wav")
    with pytest.raises(AirosError, match="it is a directory"):
        refuse_unwritable(tmp_path)


def test_a_file_that_cannot_be_written_after_all_is_named() -> None:
    with pytest.raises(AirosError, match="/dev/full: cannot write: No space left"):
        hand_over(WAV, wanted(Path("/dev/full")))

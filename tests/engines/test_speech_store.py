"""What was said is kept as it was, within its bounds, by whom else the directory belongs to as well."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airos_edge.engines.speech_store import (
    LOOK_AFTER,
    SUFFIX,
    Said,
    SpeechStore,
    packed,
    size_of,
    unpacked,
)
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ports import Speech

MB = 1024 * 1024

pieces = st.builds(
    Speech,
    st.builds(
        AudioChunk,
        st.binary(max_size=200).map(lambda data: data[: len(data) // 2 * 2]),
        st.sampled_from([16_000, 22_050, 24_000]),
    ),
    st.text(max_size=20),
)
speeches = st.lists(pieces, max_size=5).map(tuple)


def said(samples: int, text: str = "Yes.") -> Said:
    return (Speech(AudioChunk(b"\x01\x02" * samples, 22_050), text),)


def files(directory: Path) -> list[Path]:
    return sorted(directory.glob(f"*{SUFFIX}"))


def kept_bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.iterdir())


@given(speeches)
def test_what_is_unpacked_is_what_was_packed(speech: Said) -> None:
    assert unpacked(packed(speech)) == speech


@given(speeches, st.data())
def test_no_spoilt_file_is_taken_for_speech(speech: Said, data: st.DataObject) -> None:
    whole = packed(speech)
    at = data.draw(st.integers(0, len(whole) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    spoilt = bytearray(whole)
    spoilt[at] ^= bit
    for broken in (bytes(spoilt), whole[:at], whole + b"x"):
        with pytest.raises(ValueError, match="spoilt"):
            unpacked(broken)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9_000)), max_size=15))
def test_the_bounds_hold_whatever_is_kept(
    tmp_path_factory: pytest.TempPathFactory, kept: list[tuple[int, int]]
) -> None:
    directory = tmp_path_factory.mktemp("speech")
    store = SpeechStore(directory, 40_000, memory_bytes=20_000)
    for number, samples in kept:
        speech = said(samples, f"text {number}")
        store.keep_at_hand(str(number), speech)
        store.write(str(number), speech)
        assert kept_bytes(directory) <= 40_000
        in_memory = [store.at_hand(str(key)) for key in range(7)]
        assert sum(size_of(one) for one in in_memory if one) <= 20_000
        if len(packed(speech)) <= 40_000:
            assert store.read(str(number)) == speech


def test_what_has_not_been_said_for_the_longest_time_goes_first(tmp_path: Path) -> None:
    store = SpeechStore(tmp_path, 110_000, memory_bytes=100_000)
    for number in range(3):
        store.write(str(number), said(15_000))
        store.keep_at_hand(str(number), said(15_000))
        os.utime(tmp_path / f"{number}{SUFFIX}", (number, number))
    store.touch("0")
    assert store.at_hand("0")
    store.write("3", said(15_000))
    store.keep_at_hand("3", said(15_000))
    assert [path.stem for path in files(tmp_path)] == ["0", "2", "3"]
    assert [store.at_hand(key) is not None for key in "0123"] == [True, False, True, True]


def test_it_is_there_for_the_next_process_and_for_its_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "speech"
    SpeechStore(directory, MB).write("key", said(10))
    assert SpeechStore(directory, MB).read("key") == said(10)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in files(directory)] == [0o600]


def test_a_spoilt_file_is_removed_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = SpeechStore(tmp_path, MB)
    store.write("key", said(10))
    path = tmp_path / f"key{SUFFIX}"
    path.write_bytes(path.read_bytes()[:-3])
    assert store.read("key") is None
    assert "is spoilt; it is made anew" in caplog.text
    assert files(tmp_path) == []


def test_without_room_nothing_is_kept_anywhere(tmp_path: Path) -> None:
    store = SpeechStore(tmp_path / "speech", 0)
    store.write("key", said(10))
    store.keep_at_hand("key", said(10))
    assert (store.read("key"), store.at_hand("key")) == (None, None)
    assert not (tmp_path / "speech").exists()


def test_a_disk_that_takes_nothing_is_told_once_and_memory_serves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "speech").write_text("no directory")
    store = SpeechStore(tmp_path / "speech", MB)
    for key in "ab":
        store.write(key, said(10))
        store.keep_at_hand(key, said(10))
    assert caplog.text.count("speech cannot be kept") == 1
    assert (store.at_hand("a"), store.read("a")) == (said(10), None)


def test_what_a_process_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    old, new = tmp_path / f".a{SUFFIX}.1", tmp_path / f".b{SUFFIX}.2"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    SpeechStore(tmp_path, MB).write("key", said(10))
    assert not old.exists()
    assert new.exists()


def test_others_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(bytes(5000))
    SpeechStore(tmp_path, 3000).write("key", said(1000))
    assert (tmp_path / "notes.txt").exists()


PROGRAM = """
import sys
from pathlib import Path
from airos_edge.engines.speech_store import SpeechStore
from tests.engines.test_speech_store import said
store = SpeechStore(Path(sys.argv[1]), 60_000)
for turn in range(150):
    key = str(turn % 20)
    found = store.read(key)
    assert found in (None, said(6_000, key)), found
    store.write(key, said(6_000, key))
    store.touch(key)
"""


def test_two_processes_share_a_directory(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        _, complaint = process.communicate(timeout=30)
        assert (process.returncode, complaint) == (0, "")
    assert kept_bytes(tmp_path) <= 60_000 + LOOK_AFTER * 12_100
    SpeechStore(tmp_path, 60_000).write("last", said(6_000))
    assert kept_bytes(tmp_path) <= 60_000
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]

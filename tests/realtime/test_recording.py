"""A session as a file: what is in it, what is left out, and that nobody waits for it."""

import json
from pathlib import Path
from typing import Any

import pytest

from airos_edge.errors import RecordingError
from airos_edge.realtime import recording
from airos_edge.realtime.recording import MOST_FILES, Folder, Recorder, read_recording, recorder


def lines_of(folder: Folder) -> list[dict[str, Any]]:
    (file,) = folder.path.glob("*.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_both_sides_are_written_in_order_for_their_owner_alone(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "new" / "here"))
    tape = recorder(folder, {"model": "airos"}, {"User-Agent": "a client"})
    tape.server('{"type": "session.created"}')
    tape.client('{"type": "response.create"}')
    tape.client("no JSON")
    tape.client("[1]")
    tape.close()
    folder.close()
    header, created, create, text, number, end = lines_of(folder)
    assert header["recording"] == 1
    assert (header["query"], header["headers"]) == ({"model": "airos"}, {"User-Agent": "a client"})
    assert (created["from"], created["event"]) == ("server", {"type": "session.created"})
    assert (create["from"], create["event"]) == ("client", {"type": "response.create"})
    assert (text["text"], number["text"]) == ("no JSON", "[1]")
    assert end["end"] is True
    (file,) = folder.path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.path.stat().st_mode & 0o777 == 0o700
    read = read_recording(file)
    assert [line.frame for line in read.of("client")] == [
        '{"type": "response.create"}',
        "no JSON",
        "[1]",
    ]


def test_no_key_is_written(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    headers = {
        "Authorization": "Bearer sesame",
        "api-key": "sesame",
        "Sec-WebSocket-Protocol": "realtime, openai-insecure-api-key.sesame",
    }
    tape = recorder(folder, {"api_key": "sesame"}, headers)
    tool = {"type": "mcp", "authorization": "sesame", "headers": {"X-Key": "sesame"}}
    schema = {"properties": {"headers": {"type": "string"}}}
    session = {"tools": [tool, {"type": "function", "parameters": schema}]}
    tape.client(json.dumps({"type": "session.update", "session": session}))
    tape.close()
    folder.close()
    assert "sesame" not in json.dumps(lines_of(folder))
    mcp, function = lines_of(folder)[1]["event"]["session"]["tools"]
    assert (mcp["authorization"], mcp["headers"]) == ("…", "…")
    assert function["parameters"] == schema


def test_without_a_folder_nothing_is_recorded() -> None:
    tape = Recorder(None, {})
    tape.client("{}")
    tape.close()


def test_a_session_in_which_nothing_was_said_leaves_a_file_that_says_so(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    recorder(folder, {}, {}).close()
    folder.close()
    assert [line.get("recording") for line in lines_of(folder)] == [1, None]


def test_a_recording_has_a_largest_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recording, "LARGEST_BYTES", 50)
    folder = Folder(str(tmp_path))
    tape = recorder(folder, {}, {})
    for _ in range(5):
        tape.client('{"type": "a", "audio": "AAAA"}')
    tape.close()
    folder.close()
    assert sum("event" in line for line in lines_of(folder)) == 1
    assert caplog.text.count("A recording ends before its session") == 1


def test_the_newest_are_kept_and_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for number in range(MOST_FILES + 3):
        (tmp_path / f"session-20200101T{number:06}-aaaaaa.jsonl").write_text("{}")
    folder = Folder(str(tmp_path))
    tape = recorder(folder, {}, {})
    tape.client("{}")
    tape.close()
    folder.close()
    left = sorted(path.name for path in tmp_path.iterdir())
    assert len(left) == MOST_FILES + 1
    assert left[0] == "notes.txt"
    assert left[1] == "session-20200101T000004-aaaaaa.jsonl"


def test_a_disk_that_cannot_be_written_is_a_line_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").write_text("a file")
    folder = Folder(str(tmp_path / "taken"))
    tape = recorder(folder, {}, {})
    tape.client("{}")
    tape.client("{}")
    tape.close()
    folder.close()
    assert "A session is not recorded any more" in caplog.text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no recording"),
        ('{"type": "session.created"}\n', "is no recording"),
        ('{"recording": 2}\n', "is no recording"),
        ("no JSON\n", "line 1: is no JSON object"),
        ('{"recording": 1, "headers": []}\n', "line 1: headers is no JSON object"),
        (
            '{"recording": 1}\n{"at_ms": 1, "from": "server", "event": {"type": 1}}\n',
            "line 2: wants",
        ),
        ('{"recording": 1}\n[]\n', "line 2: is no JSON object"),
        ('{"recording": 1}\n{"at_ms": 1, "from": "me", "event": {}}\n', "line 2: wants"),
        ('{"recording": 1}\n{"at_ms": 1, "from": "server", "event": {}}\n', "line 2: wants"),
        ('{"recording": 1}\n{"at_ms": "1", "from": "client", "event": {}}\n', "line 2: wants"),
    ],
)
def test_what_is_no_recording_is_refused_with_its_line(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "some.jsonl"
    file.write_text(text)
    with pytest.raises(RecordingError, match=why):
        read_recording(file)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="No such file"):
        read_recording(tmp_path / "none.jsonl")
    (tmp_path / "sound.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(RecordingError, match="is not UTF-8 text"):
        read_recording(tmp_path / "sound.jsonl")


def test_the_key_in_a_tool_servers_address_is_left_out(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    tape = Recorder(folder, {})
    url = "https://me:hush@tools.example/mcp/a?key=hush"
    tools = [{"type": "mcp", "server_label": "a", "server_url": url}]
    tape.client(json.dumps({"type": "session.update", "session": {"tools": tools}}))
    tape.close()
    folder.close()
    event = lines_of(folder)[1]["event"]
    assert event["session"]["tools"][0]["server_url"] == "https://tools.example/mcp/a?…"


def test_what_is_nested_too_deeply_to_be_looked_into_is_not_lost(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    tape = Recorder(folder, {})
    deep = '{"a": ' + "[" * 900 + "]" * 900 + "}"
    tape.client(deep)
    tape.client('{"type": "response.create"}')
    tape.close()
    folder.close()
    _, first, second, _ = lines_of(folder)
    assert deep in (first.get("text"), json.dumps(first.get("event")))
    assert second["event"] == {"type": "response.create"}

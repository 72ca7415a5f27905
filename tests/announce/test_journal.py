"""How log lines look, to where they go."""

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TextIO

import pytest

from airos_edge.announce.journal import log_handler


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[TextIO]:
    with (tmp_path / "log").open("w+") as stream:
        yield stream


def journal_of(stream: TextIO) -> dict[str, str]:
    end = os.fstat(stream.fileno())
    return {"JOURNAL_STREAM": f"{end.st_dev}:{end.st_ino}"}


def written(stream: TextIO, environ: dict[str, str], level: int, text: str) -> str:
    handler = log_handler(stream, environ)
    handler.handle(logging.LogRecord("airos_edge.daemon", level, "file", 1, text, (), None))
    stream.seek(0)
    return stream.read()


@pytest.mark.parametrize(
    ("level", "priority"),
    [("DEBUG", 7), ("INFO", 6), ("WARNING", 4), ("ERROR", 3), ("CRITICAL", 2)],
)
def test_the_journal_gets_each_level_as_its_own_priority(
    stream: TextIO, level: str, priority: int
) -> None:
    number = logging.getLevelNamesMapping()[level]
    assert written(stream, journal_of(stream), number, "it is") == f"<{priority}>it is\n"


def test_every_line_of_a_message_has_its_priority(stream: TextIO) -> None:
    assert written(stream, journal_of(stream), logging.ERROR, "it\nis") == "<3>it\n<3>is\n"


def test_a_journal_that_is_another_streams_is_none(stream: TextIO) -> None:
    environ = {"JOURNAL_STREAM": "1:2"}
    assert written(stream, environ, logging.INFO, "it is") == "INFO it is\n"


def test_without_a_journal_a_line_says_its_level(stream: TextIO) -> None:
    assert written(stream, {}, logging.WARNING, "it is") == "WARNING it is\n"


def test_where_systemd_python_is_there_the_journal_gets_fields(
    stream: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    class JournalHandler(logging.Handler):
        def __init__(self, **fields: str) -> None:
            super().__init__()
            self.fields = fields

    journal = ModuleType("systemd.journal")
    journal.JournalHandler = JournalHandler  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "systemd", ModuleType("systemd"))
    monkeypatch.setitem(sys.modules, "systemd.journal", journal)
    handler = log_handler(stream, journal_of(stream))
    assert isinstance(handler, JournalHandler)
    assert handler.fields == {"SYSLOG_IDENTIFIER": "airos"}
    record = logging.LogRecord("airos_edge.daemon", logging.INFO, "file", 1, "it is", (), None)
    assert handler.format(record) == "it is"

"""How the log is written: for the journal of systemd, for a terminal, for a file."""

import logging
import os
from collections.abc import Mapping
from typing import TextIO

PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""From which level on which of syslog's priorities, see syslog(3); all that is less is 7, debug."""


def log_handler(stream: TextIO, environ: Mapping[str, str] = os.environ) -> logging.Handler:
    """Into the journal with its fields where `systemd-python` is there, with its priorities always;
    elsewhere lines with their level, and on a terminal with the time."""
    handler: logging.Handler = logging.StreamHandler(stream)
    if not _is_journal(stream, environ):
        time = "%(asctime)s " if stream.isatty() else ""
        handler.setFormatter(logging.Formatter(f"{time}%(levelname)s %(message)s", "%H:%M:%S"))
        return handler
    try:
        from systemd.journal import JournalHandler
    except ImportError:
        handler.setFormatter(_WithPriority())
        return handler
    fields: logging.Handler = JournalHandler(SYSLOG_IDENTIFIER="airos")
    fields.setFormatter(logging.Formatter())
    return fields


class _WithPriority(logging.Formatter):
    """Each line after "<N>", which the journal takes for its priority: sd-daemon(3)."""

    def format(self, record: logging.LogRecord) -> str:
        priority = next((number for level, number in PRIORITIES if record.levelno >= level), 7)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())


def _is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """$JOURNAL_STREAM names the journal's end by device and inode: it is handed on to processes
    whose output goes elsewhere."""
    try:
        end = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{end.st_dev}:{end.st_ino}"

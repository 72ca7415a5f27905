"""A session as a file: a JSON line for each event of both sides, as it was on the wire, to be replayed.

It holds what was said, its sound too, so it is made only where the owner wants it. Keys are left out.
"""

import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from airos_edge import __version__
from airos_edge.errors import RecordingError
from airos_edge.voice.ids import new_id

log = logging.getLogger(__name__)

FORM = 1
LARGEST_BYTES = 32 * 1024 * 1024
"""Of one session: eight minutes of speech in both directions."""
MOST_FILES = 32
PATTERN = "session-*.jsonl"
KEPT_HEADERS = ("User-Agent", "OpenAI-Beta", "Origin")
SECRETS = ("authorization", "headers")
"""What a client's tool server may want to see."""

Side = Literal["client", "server"]


class Recorder:
    """`client` and `server` take frames as they are and never wait: a thread writes them.

    Made without a folder it records nothing. What is too much for a file, or for a disk that stands
    still, is left out, and the log says so.
    """

    def __init__(self, folder: "Folder | None", about: Mapping[str, Any]) -> None:
        self._folder = folder
        self._began = time.monotonic()
        self._waiting: deque[tuple[int, Side, str]] = deque()
        self._bytes = 0
        self._is_full = self._is_asked = False
        self._file: IO[str] | None = None
        self._header = {
            "recording": FORM,
            "airos": __version__,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            **about,
        }

    def client(self, frame: str) -> None:
        self._put("client", frame)

    def server(self, frame: str) -> None:
        self._put("server", frame)

    def close(self) -> None:
        """Nothing more comes."""
        if self._folder is not None:
            self._folder.thread.submit(self._end, self._at_ms())

    def _at_ms(self) -> int:
        return round((time.monotonic() - self._began) * 1000)

    def _put(self, side: Side, frame: str) -> None:
        if self._folder is None or self._is_full:
            return
        self._bytes += len(frame)
        if self._bytes > LARGEST_BYTES:
            self._is_full = True
            log.warning("A recording ends before its session, at %d MB", LARGEST_BYTES // 10**6)
            return
        self._waiting.append((self._at_ms(), side, frame))
        if not self._is_asked:
            self._is_asked = True
            self._folder.thread.submit(self._write)

    # ---- in the thread ----

    def _write(self) -> None:
        self._is_asked = False
        try:
            if self._file is None and self._folder is not None:
                self._file = self._folder.new_file()
                self._file.write(json.dumps(self._header) + "\n")
            while self._waiting and self._file is not None:
                at_ms, side, frame = self._waiting.popleft()
                line = {"at_ms": at_ms, "from": side, **_event_of(frame)}
                self._file.write(json.dumps(line) + "\n")
            if self._file is not None:
                self._file.flush()
        except OSError as error:
            self._is_full = True
            self._waiting.clear()
            log.warning("A session is not recorded any more: %s", error)

    def _end(self, at_ms: int) -> None:
        self._write()
        if self._file is not None:
            with contextlib.suppress(OSError), self._file:
                self._file.write(json.dumps({"at_ms": at_ms, "end": True}) + "\n")


class Folder:
    """Where recordings lie: files for their owner alone, of which the newest are kept."""

    def __init__(self, path: str) -> None:
        self.path = Path(path).expanduser()
        self.thread = ThreadPoolExecutor(1, "recording")

    def new_file(self) -> IO[str]:
        """Makes room for it first. Raises OSError."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        before = sorted(self.path.glob(PATTERN))  # by their time
        for oldest in before[: max(0, len(before) + 1 - MOST_FILES)]:
            oldest.unlink(missing_ok=True)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{new_id('rec')[-6:]}"
        file = self.path / PATTERN.replace("*", name)
        file.touch(mode=0o600, exist_ok=False)
        return file.open("w", encoding="utf-8")

    def close(self) -> None:
        """Waits until all is written."""
        self.thread.shutdown()


def recorder(
    folder: Folder | None, query: Mapping[str, str], headers: Mapping[str, str]
) -> Recorder:
    """Of a session that was opened so, without what may be a key."""
    kept = {name: headers[name] for name in KEPT_HEADERS if name in headers}
    known = {name: query[name] for name in ("model", "intent") if name in query}
    return Recorder(folder, {"query": known, "headers": kept})


def _event_of(frame: str) -> dict[str, Any]:
    """What a frame holds; one that is no JSON object is kept as its text."""
    try:
        event = json.loads(frame)
        return {"event": _without_secrets(event)} if isinstance(event, dict) else {"text": frame}
    except (ValueError, RecursionError):
        return {"text": frame}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_secrets(part) for part in value]
    if not isinstance(value, dict):
        return value
    is_server = value.get("type") == "mcp"
    secrets = SECRETS if is_server else ()
    kept = {
        key: "…" if key in secrets and part else _without_secrets(part)
        for key, part in value.items()
    }
    if is_server and isinstance(kept.get("server_url"), str):
        kept["server_url"] = _bare_url(kept["server_url"])
    return kept


def _bare_url(url: str) -> str:
    """Without user, password and query: many tool servers are given their key there."""
    head, _, query = url.partition("?")
    scheme, slashes, rest = head.partition("://")
    place, slash, path = rest.partition("/")
    shown = f"{scheme}{slashes}{place.rpartition('@')[2]}{slash}{path}"
    return f"{shown}?…" if query else shown


# ---- reading ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """An event of one side, `at_ms` after the session began; a client's may be text that is no JSON."""

    at_ms: int
    side: Side
    event: Mapping[str, Any]
    text: str | None = None

    @property
    def frame(self) -> str:
        return self.text if self.text is not None else json.dumps(self.event)


@dataclass(frozen=True, slots=True)
class Recording:
    header: Mapping[str, Any]
    lines: tuple[Line, ...]
    end_ms: int
    """When the session was over."""

    def of(self, side: Side) -> list[Line]:
        return [line for line in self.lines if line.side == side]


def read_recording(path: Path) -> Recording:
    """Raises RecordingError, which names the file and the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise RecordingError(f"{path}: cannot be read: {why}") from error
    header, *rest = list(_objects(path, lines)) or [{}]
    if header.get("recording") != FORM:
        raise RecordingError(
            f"{path}: is no recording of a session: its first line says nothing of it"
        )
    for part in ("query", "headers"):
        if not isinstance(header.get(part, {}), dict):
            raise RecordingError(f"{path}, line 1: {part} is no JSON object")
    end = rest.pop() if rest and "end" in rest[-1] else {}
    found = tuple(_line(path, number, one) for number, one in enumerate(rest, 2))
    return Recording(header, found, end.get("at_ms") or (found[-1].at_ms if found else 0))


def _objects(path: Path, lines: list[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise RecordingError(f"{path}, line {number}: is no JSON object")
        yield value


def _line(path: Path, number: int, given: Mapping[str, Any]) -> Line:
    at_ms, side, event = given.get("at_ms"), given.get("from"), given.get("event", {})
    text = given.get("text")
    is_event = isinstance(event, dict) and (isinstance(event.get("type"), str) or side == "client")
    if not isinstance(at_ms, int) or side not in ("client", "server") or not is_event:
        raise RecordingError(
            f'{path}, line {number}: wants {{"at_ms": …, "from": "client" or "server", "event": {{…}}}}'
        )
    return Line(at_ms, side, event, text if isinstance(text, str) else None)

"""What the ears think, line by line for a terminal: when, how much like speech, how loud, and what of it."""

from collections.abc import Iterator, Mapping
from typing import Any

HEADING = "      s  like speech       dBFS"
BAR = 16
"""Frames on a line: half a second."""
BLOCKS, PLAIN = "▁▂▃▄▅▆▇█", "_.:-=+*#"
QUIET = 0.125
"""A probability under this has the lowest block, and a stretch of it is one line."""
LONGEST_QUIET = 160
"""Frames, five seconds: who watches live is to see that it goes on."""
WORTH_SHOWING = 0.1
"""A wake word's score under this means nothing."""
OPENED_BY = {
    "speech": "opened by speech",
    "wake": "opened by the wake word",
    "push": "opened by its client (push-to-talk)",
    "follow_up": "opened for an answer to a question",
}
CLOSED_BY = {
    "commit": "its client said so",
    "enough": "the recogniser had heard enough",
    "too_long": "no question is longer",
    "discarded": "thrown away by its client",
}
WORDS = {
    "prefix": "words that cannot end here",
    "open": "words that may go on",
    "complete": "words that are complete",
    "reject": "words that are not meant for the box",
}
PARTIAL = {
    "prefix": "...",
    "open": "(may go on)",
    "complete": "(complete)",
    "reject": "(not for us)",
}

Line = Mapping[str, Any]


class Thoughts:
    """Frames are gathered into a bar, which stands in front of the next thing that is thought."""

    def __init__(self, encoding: str | None) -> None:
        self._blocks = BLOCKS if _can_write(BLOCKS, encoding) else PLAIN
        self._frames: list[float] = []
        self._loudest_dbfs = -96.0
        self._at_ms = 0

    def of(self, line: Line) -> Iterator[str]:
        """The lines to print for one line of http/watching.py."""
        if line["event"] == "speech":
            yield from self._frame(line)
        elif text := _said(line):
            if len(self._frames) > BAR:
                yield from self.rest()
            yield self._line(text, line["at_ms"])

    def rest(self) -> Iterator[str]:
        """What is gathered and not yet shown."""
        frames = len(self._frames)
        if frames:
            yield self._line("quiet" if frames > BAR else "", self._at_ms)

    def _frame(self, line: Line) -> Iterator[str]:
        is_quiet = max([*self._frames, line["probability"]]) < QUIET
        if len(self._frames) >= (LONGEST_QUIET if is_quiet else BAR):
            yield from self.rest()
        self._frames.append(line["probability"])
        self._loudest_dbfs = max(self._loudest_dbfs, line["level_dbfs"])
        self._at_ms = line["at_ms"]

    def _line(self, text: str, at_ms: int | None) -> str:
        time = "" if at_ms is None else f"{at_ms / 1000:.2f}"
        bar = "".join(self._block(probability) for probability in self._frames[-BAR:])
        level = f"{self._loudest_dbfs:.0f}" if self._frames else ""
        self._frames.clear()
        self._loudest_dbfs = -96.0
        return f"{time:>7}  {bar:<{BAR}}  {level:>4}  {text}".rstrip()

    def _block(self, probability: float) -> str:
        return self._blocks[min(int(probability * len(self._blocks)), len(self._blocks) - 1)]


def _said(line: Line) -> str:
    match line["event"]:
        case "opened" | "confirmed" | "paused" | "resumed" | "closed":
            return _about_the_recording(line)
        case "partial" | "final" | "failed":
            return _about_the_words(line)
        case "wake":
            shown = line["score"] >= WORTH_SHOWING
            return f"{line['word']} {line['score']:.2f} of {line['threshold']:g}" if shown else ""
        case "woke":
            return f"woke: {line['word']} {line['score']:.2f}, at {line['level_dbfs']:.0f} dBFS"
        case "answered":
            return _answered(line)
        case "recording_ended":
            return "here the recording ends; silence follows"
        case "lost":
            return f"({line['count']} were lost: they came faster than they were read)"
    return ""


def _about_the_recording(line: Line) -> str:
    match line["event"]:
        case "opened":
            return f"{OPENED_BY[line['by']]}, from {line['start_ms'] / 1000:.2f} s on"
        case "confirmed":
            return "confirmed: this is no cough"
        case "closed":
            return f"closed: {_why_closed(line)}"
    return str(line["event"])


def _why_closed(line: Line) -> str:
    silence_ms = line["at_ms"] - line["speech_end_ms"]
    match line["reason"]:
        case "silence":
            after = f" after {WORDS[line['judgement']]}" if line["judgement"] else ""
            return f"{silence_ms} ms of silence{after}"
        case "no_speech":
            return f"no speech within {silence_ms / 1000:.0f} s"
    return CLOSED_BY[line["reason"]]


def _about_the_words(line: Line) -> str:
    match line["event"]:
        case "failed":
            return f"not recognised: {line['error']}"
        case "final":
            heard = f'heard "{line["text"]}"' if line["text"] else "heard nothing meant for the box"
            tongue = f", in {line['language']}" if line.get("language") else ""
            return f"{heard}{tongue}{_certainty(line)}{_meaning(line)}"
    if not line["text"]:
        return ""
    return f'"{line["text"]}" {PARTIAL.get(line["judgement"], "(no command)")}'


def _certainty(line: Line) -> str:
    if line.get("certainty") is None:
        return ""
    others = " or ".join(f'"{text}"' for text in line["alternatives"])
    return f", certainty {line['certainty']:.2f}" + (f", or {others}" if others else "")


def _meaning(line: Line) -> str:
    """What the house would do; said where the line knows, on a line of its own."""
    if "intent" not in line or not line["text"]:
        return ""
    margin = "\n" + " " * (7 + 2 + BAR + 2 + 4 + 2)
    if line["intent"] is None:
        return f"{margin}which is no command of this house"
    return f"{margin}which would be {command(line['intent'], line['slots'])}"


def command(intent: str, slots: Mapping[str, Any]) -> str:
    """An intent with its slots."""
    values = ", ".join(f"{name} {value}" for name, value in slots.items())
    return f"{intent} ({values})" if values else intent


def _answered(line: Line) -> str:
    if line["status"] != "completed":
        return f"the answer {line['status']}: {line['error'] or line['text'] or 'nothing was said'}"
    done = f"{command(line['intent'], line['slots'])}: " if line["intent"] else ""
    return f'answered {done}"{line["text"]}"'


def _can_write(text: str, encoding: str | None) -> bool:
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True

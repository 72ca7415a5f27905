"""The sequence diagrams of docs/flow.md as lists of what is to happen."""

import re
from collections.abc import Iterable
from pathlib import Path

DOCUMENT = Path(__file__).parent.parent / "docs" / "flow.md"
ARROW = re.compile(r"^ *\w+->>(\w+): (.+)$")
NOTE = re.compile(r"^ *Note over [\w,]+: (.+)$")
"""Names a diagram further up that happens there."""
NOT_WATCHED = {"Person", "Session", "Daemon"}
NOT_DRAWN = {"Face: SpeechConfirmed", "Face: QuestionDropped", "Face: SessionEnded"}
"""They say what the rest of a diagram shows, for who follows what the box is doing."""
REPEATED = {"Face: TranscriptChanged", "Face: TextSaid", "Mouth: play", "Announcer: play"}
"""Where these follow each other in any number, a diagram shows each once."""


def diagrams() -> dict[str, list[str]]:
    """For each heading with a diagram below it, what arrives at whom: "Face: SpeechStarted"."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("sequenceDiagram"):
            found[heading] = []
        elif (arrow := ARROW.match(line)) and arrow[1] not in NOT_WATCHED:
            found[heading].append(f"{arrow[1]}: {arrow[2]}")
        elif note := NOTE.match(line):
            found[heading] += found[note[1]]
    return {heading: once(lines) for heading, lines in found.items()}


def once(happened: Iterable[str]) -> list[str]:
    """Runs of what is repeated are shortened to one of each."""
    shown: list[str] = []
    run: set[str] = set()
    for what in happened:
        if what in NOT_DRAWN:
            continue
        if what not in REPEATED:
            run.clear()
        elif what in run:
            continue
        else:
            run.add(what)
        shown.append(what)
    return shown

"""`airos doctor --ears DIR`: how well the ears do on recordings named by their text."""

import asyncio
import json
import re
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airos_edge.box import Box
from airos_edge.cli import recordings
from airos_edge.cli.ears import open_ears, sound_of
from airos_edge.errors import AirosError, RecordingError
from airos_edge.scoring import Score, score, summary
from airos_edge.virtual_time import VirtualTimeLoop

NOT_FOR_US = "other"
"""The folder of speech that is not meant for the box."""


@dataclass(slots=True)
class Report:
    """What was found of each file, by its path within the folder."""

    scores: dict[str, Score] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def main(arguments: Namespace) -> int:
    """0 when there was something to score, however bad the scores are."""
    folder = arguments.ears
    files = _recordings_in(folder)
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        report = runner.run(_examine(folder, files, arguments))
    if not report.scores:
        why = next(iter(report.skipped.values()))
        raise AirosError(f"{folder}: none of {len(files)} recordings could be scored: {why}")
    totals = summary(list(report.scores.values()))
    if arguments.json:
        print(json.dumps(_as_json(report, totals), ensure_ascii=False))
    else:
        print("\n".join(["", *_totals(totals, len(report.skipped))]))
    return 0


def _recordings_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise AirosError(f"{folder}: this is no directory; --ears wants one with recordings")
    files = sorted(path for path in folder.rglob("*") if recordings.is_named_like_one(path))
    if not files:
        kinds = ", ".join(sorted(recordings.SUFFIXES))
        raise AirosError(
            f"{folder}: there is no recording in it ({kinds}); name each by its text, such as "
            '"turn on the kitchen light - anna.wav"'
        )
    return files


def text_of(name: Path) -> str | None:
    """What is said in it by its name, up to " (" or " - "; None where it is not meant for the box."""
    if NOT_FOR_US in name.parts[:-1]:
        return None
    return re.split(r" \(| - ", name.stem.replace("_", " "))[0].strip()


async def _examine(folder: Path, files: Sequence[Path], arguments: Namespace) -> Report:
    report = Report()
    async with open_ears(arguments) as box:
        for file in files:
            name = file.relative_to(folder)
            try:
                found = report.scores[str(name)] = await _examine_one(file, text_of(name), box)
                line = _line(str(name), found)
            except RecordingError as error:
                why = report.skipped[str(name)] = str(error).removeprefix(f"{file}: ")
                line = f"{'skipped':<14}          {name}: {why}"
            if not arguments.json:
                print(line, flush=True)
    return report


async def _examine_one(file: Path, text: str | None, box: Box) -> Score:
    sound = sound_of(file)
    if text is not None and box.commands.understand(text, None) is None:
        empty = "" if box.check()["devices"] else "; it has no devices, --demo brings some"
        raise RecordingError(f"{file}: the house does not understand {text!r}{empty}")
    return await score(box, sound, text)


def _line(name: str, found: Score) -> str:
    closing = "" if found.closing_ms is None else f"{found.closing_ms} ms"
    line = f"{found.verdict:<14}{closing:>8}  {name}"
    if found.is_cut_off:
        line += ", cut off early"
    if found.verdict not in ("right", "ignored"):
        line += f": heard {' and '.join(map(repr, found.heard)) or 'nothing'}"
    return line


def _totals(totals: Mapping[str, Any], skipped: int) -> list[str]:
    lines = []
    if commands := totals["commands"]:
        lines += [
            f"Commands        {commands}",
            f"  right         {_share(totals['right'], commands)}, by intent and slots",
            f"  wrong         {_share(totals['wrong_commands'], commands)}",
            f"  asked back    {_share(totals['asked_back'], commands)}",
            f"  rejected      {_share(totals['not_understood'], commands)}",
            f"  cut off early {_share(totals['cut_off'], commands)}",
        ]
    if totals["closing_p50_ms"] is not None:
        p50_ms, p95_ms = totals["closing_p50_ms"], totals["closing_p95_ms"]
        lines.append(f"  closed        {p50_ms} ms after the end of speech (p95 {p95_ms} ms)")
    if talk := totals["talk"]:
        lines += [
            f"Talk            {talk}",
            f"  acted on      {_share(totals['acted_on_talk'], talk)}",
        ]
    if skipped:
        lines.append(f"Skipped         {skipped}")
    return lines


def _share(count: int, of: int) -> str:
    return f"{count} ({100 * count / of:.0f} %)"


def _as_json(report: Report, totals: Mapping[str, Any]) -> dict[str, Any]:
    files = [
        {
            "file": name,
            "text": one.wanted,
            "verdict": one.verdict,
            "heard": one.heard,
            "understood": [
                {"intent": act.intent, "slots": dict(act.slots)} for act in one.understood
            ],
            "closing_ms": one.closing_ms,
            "cut_off": one.is_cut_off,
        }
        for name, one in report.scores.items()
    ]
    skipped = [{"file": name, "why": why} for name, why in report.skipped.items()]
    return {"files": files, "skipped": skipped, "summary": totals}

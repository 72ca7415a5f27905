"""What a figure is: measured values, the floor measured beside them, and what they had to reach."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """`floor` is what cannot be beaten, measured in the same run; `wrong` are the rounds that do not
    count among `values` because the daemon did something else than it was asked for."""

    name: str
    unit: str
    values: Sequence[float]
    floor: Sequence[float] = ()
    floor_name: str = ""
    target: float | None = None
    """At most this much, by the median: the machine's own noise is in the p95."""
    wrong: Sequence[str] = ()
    most_ratio: float | None = None
    """At most so many times the floor."""

    @property
    def median(self) -> float:
        return median(self.values) if self.values else float("nan")

    @property
    def ratio(self) -> float | None:
        """None also where the floor is 0."""
        floor = median(self.floor) if self.floor and self.values else 0
        return self.median / floor if floor else None

    @property
    def above(self) -> float | None:
        return self.median - median(self.floor) if self.floor and self.values else None

    @property
    def verdict(self) -> str:
        if self.target is None and self.most_ratio is None:
            return ""
        is_low = self.target is None or self.median <= self.target
        is_near = self.most_ratio is None or (self.ratio or inf) <= self.most_ratio
        return "reached" if is_low and is_near else "NOT reached"

    def as_json(self) -> dict[str, Any]:
        derived = {"ratio": self.ratio, "verdict": self.verdict}
        if self.values:
            derived |= {"median": self.median, "p95": p95(self.values)}
        return asdict(self) | derived


def p95(values: Sequence[float]) -> float:
    """The smallest value that 95 of 100 do not exceed; of fewer than twenty, the greatest."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[-(-95 * len(ordered) // 100) - 1]


HEADINGS = ("", "median", "p95", "n", "wrong", "floor", "ratio", "above", "target", "")


def table(figures: Iterable[Figure]) -> str:
    """The figures in columns, and under them what went wrong."""
    figures = list(figures)
    rows = [HEADINGS, *map(_row, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place in (0, 5, 9) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    lines += [f"wrong: {figure.name}: {what}" for figure in figures for what in figure.wrong]
    return "\n".join(lines)


def _row(figure: Figure) -> tuple[str, ...]:
    floor = f"{_number(median(figure.floor))} {figure.floor_name}" if figure.floor else ""
    return (
        f"{figure.name} [{figure.unit}]",
        _number(figure.median),
        _number(p95(figure.values)),
        str(len(figure.values)),
        str(len(figure.wrong) or ""),
        floor,
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        "" if figure.above is None else _number(figure.above),
        _wanted(figure),
        figure.verdict,
    )


def _wanted(figure: Figure) -> str:
    if figure.most_ratio is not None:
        return f"<= {figure.most_ratio:g}x"
    return "" if figure.target is None else f"<= {figure.target:g}"


def _number(value: float) -> str:
    """Three digits, as far as they say anything."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table whose first row is its headings, that can be read as it stands."""
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        [
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    ]
    rule = [
        "-" * width if not place else "-" * (width - 1) + ":" for place, width in enumerate(widths)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))

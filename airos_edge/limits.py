"""What a number in a settings dataclass may be: a leaf that every part may use."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the most, for `Annotated[int, Range(1, 65535)]`."""

    low: float
    high: float

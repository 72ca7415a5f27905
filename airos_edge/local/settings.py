"""The `satellite` section: the box's own microphone and loudspeaker."""

from dataclasses import dataclass
from typing import Annotated

from airos_edge.limits import Range


@dataclass(frozen=True, slots=True)
class Settings:
    microphone: str | None = "auto"
    """auto: the system's, where there is one; a part of a device's name; null: none."""
    speaker: str | None = "auto"
    echo_canceller: bool = False
    """Whether the loudspeaker's sound has been taken out of the microphone's, by the sound system."""
    chime: bool = True
    volume_pct: Annotated[int, Range(0, 100)] = 100
    """Until it is changed while the box runs."""

"""Mute and volume: what the owner may set while the box runs, and finds again after a restart."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from airos_edge.files import write_whole
from airos_edge.voice.events import Event, MuteChanged, VolumeChanged

log = logging.getLogger(__name__)

FILE = "sound.json"


class Controls:
    """`state`: the directory in which they are kept; None: until the end of the process.

    `set_mute` and `set_loudness` make it so; every change is published.
    """

    def __init__(
        self, volume_pct: int, state: Path | None, publish: Callable[[Event], None]
    ) -> None:
        kept = _read(state)
        self.is_muted = kept.get("muted") is True
        volume = kept.get("volume_pct")
        self.volume_pct = volume if type(volume) is int and 0 <= volume <= 100 else volume_pct
        self.set_mute: Callable[[bool], None] = lambda on: None
        self.set_loudness: Callable[[int], None] = lambda pct: None
        self._state = state
        self._publish = publish

    def mute(self, on: bool) -> None:
        """Muted, the microphone is closed."""
        if on != self.is_muted:
            self.is_muted = on
            self.set_mute(on)
            self._changed(MuteChanged(is_muted=on))

    def set_volume(self, pct: int) -> None:
        """Of the loudspeaker, 0 to 100; what is beyond is taken for its end."""
        pct = min(100, max(0, pct))
        if pct != self.volume_pct:
            self.volume_pct = pct
            self.set_loudness(pct)
            self._changed(VolumeChanged(volume_pct=pct))

    def _changed(self, event: Event) -> None:
        if self._state is not None:
            _write(self._state, {"muted": self.is_muted, "volume_pct": self.volume_pct})
        self._publish(event)


def _read(state: Path | None) -> dict[str, Any]:
    """What was kept; nothing where nothing can be read."""
    if state is None:
        return {}
    try:
        kept = json.loads((state / FILE).read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.warning("%s: cannot be read, so mute and volume are the usual: %s", state / FILE, error)
        return {}
    return kept if isinstance(kept, dict) else {}


def _write(state: Path, kept: dict[str, Any]) -> None:
    """Whole or not at all; a failure is only logged, since the box is muted all the same."""
    try:
        write_whole(state / FILE, json.dumps(kept).encode(), 0o644)
    except OSError as error:
        log.warning("%s: cannot be written, so it is forgotten at the end: %s", state / FILE, error)

"""What a conversation, and so the box, is doing: idle, listening, processing or responding."""

from collections.abc import Callable
from dataclasses import dataclass, field

from airos_edge.voice.events import (
    Event,
    ItemStarted,
    Phase,
    PhaseChanged,
    QuestionDropped,
    ReplyEnded,
    ReplyStarted,
    SessionEnded,
    SpeechStarted,
    SpeechStopped,
)

ORDER: tuple[Phase, ...] = ("idle", "processing", "listening", "responding")
"""Of several conversations, the box is in the phase that comes last here."""


@dataclass(slots=True)
class Phases:
    """Follows the events of all conversations; says when the phase of the box is another one."""

    publish: Callable[[Event], None]
    phase: Phase = "idle"
    _of: dict[str, Phase] = field(default_factory=dict)
    _heard: set[str] = field(default_factory=set)
    """The conversations in which somebody is being heard, over an answer or not."""

    def follow(self, event: Event) -> None:
        after = self._after(event)
        if after is None:
            return
        self._of[event.session_id] = after
        if isinstance(event, SessionEnded):
            del self._of[event.session_id]
        phases: list[Phase] = ["idle", *self._of.values()]
        phase = max(phases, key=ORDER.index)
        if phase != self.phase:
            self.phase = phase
            self.publish(PhaseChanged(phase=phase))

    def _after(self, event: Event) -> Phase | None:
        """None: it stays what it is."""
        now = self._of.get(event.session_id, "idle")
        match event:
            case SpeechStarted():
                self._heard.add(event.session_id)
                return "listening" if now != "responding" else None
            case SpeechStopped():
                self._heard.discard(event.session_id)
                return "processing" if now == "listening" else None
            case ReplyStarted(apart=False):
                return "processing"
            case ItemStarted(apart=False):
                return "responding"
            case QuestionDropped():
                return "idle" if now == "processing" else None
            case ReplyEnded(apart=False):
                return "listening" if event.session_id in self._heard else "idle"
            case SessionEnded():
                self._heard.discard(event.session_id)
                return "idle"
        return None

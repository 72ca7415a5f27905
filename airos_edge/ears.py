"""What listens in a conversation, of the parts of a box."""

import logging
from collections.abc import Callable

from airos_edge.errors import EngineUnavailable
from airos_edge.parts import Parts
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.hub import Hub
from airos_edge.voice.ports import Wake
from airos_edge.voice.waking import Waking
from airos_edge.voice.watched import WatchedVad, WatchedWake

log = logging.getLogger(__name__)


def open_ear(parts: Parts, hub: Hub, rules: TurnRules, stamp: Callable[[Event], Event]) -> Ear:
    """`stamp` makes an event one of the ear's conversation. Raises EngineUnavailable where the rules need a
    wake word and no engine hears one."""
    if parts.open_vad is None and rules.detection != "push":
        log.warning("A conversation that hears no speech begins: %s", parts.faults["vad"])
    vad = WatchedVad(parts.open_vad() if parts.open_vad else Deaf(), hub, stamp)
    if rules.detection != "wake":
        return Ear(rules, vad, deaf=None if parts.open_vad else parts.faults["vad"])
    words = parts.config.wake.words
    return Ear(rules, vad, Waking(WatchedWake(open_wake(parts), hub, stamp, words), words))


def open_wake(parts: Parts) -> Wake:
    """Raises EngineUnavailable where no engine hears a wake word."""
    if parts.open_wake is None:
        raise EngineUnavailable("wake", parts.faults["wake"])
    return parts.open_wake()


class Deaf:
    """Where nothing can tell speech: questions are then begun and ended by who asks them."""

    frame_ms = 32

    def feed(self, chunk: object) -> list[float]:
        return []

"""What Prometheus is told: counts and times of what happened, and never a word of what was said."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from airos_edge import __version__
from airos_edge.health import STATES, PartChanged
from airos_edge.voice.events import Event, ReplyEnded, SessionEnded
from airos_edge.voice.flow import Scope
from airos_edge.voice.hub import Hub

WATCHED = 1024
"""Events that may wait to be counted; those that come too fast for it are missing, and are counted as that."""
KINDS = (ReplyEnded, SessionEnded, PartChanged)
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)
"""Finer where a person tells a quick answer from a slow one."""

Expose = Callable[[str], tuple[bytes, str]]
"""From the Accept header of who asks to the metrics as text, and their content type."""


@asynccontextmanager
async def metering(hub: Hub, state: Callable[[], Mapping[str, Any]]) -> AsyncIterator[Expose]:
    """Counts what the hub tells for as long as the block runs; the parts' `state` is asked when needed."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    counts = _Counts(registry)
    registry.register(_Now(hub, state))
    ProcessCollector(registry=registry)
    Info("airos", "Which airos this is.", registry=registry).info({"version": __version__})

    def expose(accept: str) -> tuple[bytes, str]:
        encode, content_type = choose_encoder(accept)
        return encode(registry), content_type

    async def follow() -> None:
        async for event in watch:
            counts.count(event)

    with hub.watch(WATCHED, *KINDS) as watch:
        async with Scope() as scope:
            scope.start(follow(), "metrics")
            yield expose


class _Counts:
    """What adds up. Labels have few values: those of our enums, and names out of the configuration."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._turns = Counter(
            "airos_turns",
            "Answers that have ended: who gave them, how they ended, how far what they needed went.",
            ["tier", "outcome", "left"],
            registry=registry,
        )
        self._stages = Histogram(
            "airos_stage_seconds",
            "From the end of the question to the end of each stage of its answer.",
            ["stage"],
            registry=registry,
            buckets=BUCKETS_S,
        )
        self._conversations = Counter(
            "airos_conversations", "Conversations that have ended.", registry=registry
        )
        self._recoveries = Counter(
            "airos_part_recoveries",
            "How often a part has worked again after it had not: a broker, a model, a microphone.",
            ["part"],
            registry=registry,
        )
        self._ailing: set[str] = set()

    def count(self, event: Event) -> None:
        match event:
            case ReplyEnded(outcome=outcome):
                tier = outcome.tier or "none"
                self._turns.labels(tier, outcome.status, outcome.left.value).inc()
                for stage, took_ms in outcome.stages_ms.items():
                    self._stages.labels(stage).observe(took_ms / 1000)
            case SessionEnded():
                self._conversations.inc()
            case PartChanged(part=part, state="failed" | "degraded"):
                self._ailing.add(part)
            case PartChanged(part=part, state="ok") if part in self._ailing:
                self._ailing.remove(part)
                self._recoveries.labels(part).inc()


class _Now(Collector):
    """What is asked for when somebody reads."""

    def __init__(self, hub: Hub, state: Callable[[], Mapping[str, Any]]) -> None:
        self._hub = hub
        self._state = state

    def collect(self) -> Iterable[Metric]:
        parts = GaugeMetricFamily(
            "airos_part_state", "1 for the state that a part is in.", labels=["part", "state"]
        )
        for name, part in self._state()["parts"].items():
            for state in STATES:
                parts.add_metric([name, state], float(part["state"] == state))
        yield parts
        yield CounterMetricFamily(
            "airos_events_dropped",
            "Events that somebody who watches the box did not read in time.",
            value=self._hub.dropped,
        )

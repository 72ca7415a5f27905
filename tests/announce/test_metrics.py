"""What stands in /metrics after this and that has happened."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from airos_edge.announce import metrics
from airos_edge.announce.metrics import Expose, metering
from airos_edge.health import Health
from airos_edge.voice.events import Announced, Outcome, ReplyEnded, SessionEnded
from airos_edge.voice.hub import Hub
from airos_edge.voice.ports import Left, Prompt


class Read:
    """What a Prometheus server makes of it."""

    def __init__(self, text: bytes) -> None:
        families = text_string_to_metric_families(text.decode())
        self.samples = [sample for family in families for sample in family.samples]

    def of(self, name: str, **labels: str) -> float | None:
        """The value; None where there is no such thing."""
        found = [one.value for one in self.samples if one.name == name and one.labels == labels]
        return found[0] if found else None


class Metered:
    def __init__(self) -> None:
        self.hub = Hub()
        self.health = Health(self.hub.publish)
        self.expose: Expose

    def state(self) -> dict[str, Any]:
        asr = {"asr": {"engine": "pocketsphinx", "state": "ok"}}
        return {"parts": asr | dict(self.health.parts())}

    async def read(self) -> Read:
        await asyncio.sleep(0)
        return Read(self.expose("text/plain")[0])


@pytest.fixture
async def box() -> AsyncIterator[Metered]:
    box = Metered()
    async with metering(box.hub, box.state) as box.expose:
        yield box


def ended(**outcome: Any) -> ReplyEnded:
    return ReplyEnded(
        reply_id="resp_1", prompt=Prompt(), outcome=Outcome(**outcome), apart=False, metadata=None
    )


async def test_turns_are_counted_by_who_answered_how_it_ended_and_what_left(box: Metered) -> None:
    box.hub.publish(ended(status="completed", tier="commands"))
    box.hub.publish(ended(status="completed", tier="commands"))
    box.hub.publish(ended(status="failed", tier="fast", left=Left.LAN))
    box.hub.publish(ended(status="cancelled"))
    read = await box.read()
    total = "airos_turns_total"
    assert read.of(total, tier="commands", outcome="completed", left="nothing") == 2
    assert read.of(total, tier="fast", outcome="failed", left="lan") == 1
    assert read.of(total, tier="none", outcome="cancelled", left="nothing") == 1


async def test_each_stage_has_its_times_in_seconds(box: Metered) -> None:
    box.hub.publish(ended(status="completed", stages_ms={"recognise": 40.0, "speak": 120.0}))
    box.hub.publish(ended(status="completed", stages_ms={"speak": 180.0}))
    read = await box.read()
    assert read.of("airos_stage_seconds_count", stage="speak") == 2
    assert read.of("airos_stage_seconds_sum", stage="speak") == pytest.approx(0.3)
    assert read.of("airos_stage_seconds_bucket", stage="speak", le="0.15") == 1
    assert read.of("airos_stage_seconds_bucket", stage="recognise", le="0.05") == 1


async def test_conversations_are_counted_when_they_end(box: Metered) -> None:
    box.hub.publish(SessionEnded(session_id="sess_1"))
    assert (await box.read()).of("airos_conversations_total") == 1


async def test_every_part_is_in_one_state(box: Metered) -> None:
    box.health.report("mqtt", "degraded", "no broker")
    read = await box.read()
    states = ("ok", "starting", "degraded", "failed")
    assert [read.of("airos_part_state", part="asr", state=one) for one in states] == [1, 0, 0, 0]
    assert [read.of("airos_part_state", part="mqtt", state=one) for one in states] == [0, 0, 1, 0]


async def test_a_part_that_works_again_has_recovered_and_one_that_starts_has_not(
    box: Metered,
) -> None:
    for state in ("starting", "ok", "failed", "degraded", "starting", "ok", "ok"):
        box.health.report("mqtt", state)  # type: ignore[arg-type]
    box.health.report("microphone", "ok")
    read = await box.read()
    assert read.of("airos_part_recoveries_total", part="mqtt") == 1
    assert read.of("airos_part_recoveries_total", part="microphone") is None


async def test_what_was_not_counted_in_time_is_counted_as_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics, "WATCHED", 2)
    box = Metered()
    async with metering(box.hub, box.state) as box.expose:
        for _ in range(5):
            box.hub.publish(SessionEnded())
        read = await box.read()
    assert read.of("airos_conversations_total") == 2
    assert read.of("airos_events_dropped_total") == 3


async def test_words_and_frames_are_none_of_its_business(box: Metered) -> None:
    assert not box.hub.is_watched_for(Announced)
    box.hub.publish(ended(status="completed", tier="commands", text="the code is 4711"))
    await asyncio.sleep(0)
    assert b"4711" not in box.expose("text/plain")[0]


async def test_it_says_which_airos_it_is_and_what_it_takes(box: Metered) -> None:
    read = await box.read()
    (info,) = [sample.labels for sample in read.samples if sample.name == "airos_info"]
    assert info["version"]
    assert (read.of("process_resident_memory_bytes") or 0) > 1e6


async def test_who_is_served_gets_the_form_it_asks_for(box: Metered) -> None:
    assert box.expose("")[1].startswith("text/plain")
    assert box.expose("application/openmetrics-text; version=1.0.0")[1].startswith(
        "application/openmetrics-text"
    )

"""How the parts of the box are."""

from airos_edge.health import Health, PartChanged
from airos_edge.voice.events import Event


def test_a_change_is_published_and_a_repetition_is_not() -> None:
    published: list[Event] = []
    health = Health(published.append)
    health.report("mqtt", "failed", "refused")
    health.report("mqtt", "failed", "refused")
    health.report("mqtt", "ok")
    assert published == [
        PartChanged(part="mqtt", state="failed", why="refused"),
        PartChanged(part="mqtt", state="ok"),
    ]


def test_it_shows_the_latest_of_every_part_until_it_is_forgotten() -> None:
    health = Health(lambda event: None)
    health.report("mqtt", "failed", "refused")
    health.report("fast", "ok")
    assert health.parts() == {
        "fast": {"state": "ok"},
        "mqtt": {"state": "failed", "why": "refused"},
    }
    health.forget("mqtt")
    assert health.parts() == {"fast": {"state": "ok"}}

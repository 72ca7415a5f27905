"""The demonstration house can be tried with what the README says."""

import pytest

from airos_edge.home.demo import demo_house
from tests.home.people import People
from tests.phrases import LABEL


@pytest.mark.parametrize("device", demo_house("en").devices, ids=lambda device: str(device.name))
async def test_every_device_of_it_can_be_switched_and_asked_for(device: object) -> None:
    name = device.name  # type: ignore[attr-defined]
    async with People(demo_house("en"), is_demo=True) as people:
        assert (await people.ask(f"turn on the {name}")).startswith("Turned on the")
        assert people.on() == [name]
        assert await people.ask(f"is the {name} on") == f"Yes, {LABEL}"


def test_it_says_that_it_is_one() -> None:
    assert "demo" in LABEL

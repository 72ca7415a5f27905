"""What a house answers most often: known before anybody asks."""

from collections.abc import Iterator
from contextlib import suppress

from airos_edge.home.commands import HouseCommands, Understood
from airos_edge.home.house import House

SWITCHED = ("HassTurnOn", "HassTurnOff")
MANY = ("{}s_area", "{}_all")
"""How Home Assistant names the answers about all of a domain, in an area and everywhere."""
ASKED = tuple(
    f"set a timer for {minutes} minutes"
    for minutes in ("two", "three", "five", "ten", "fifteen", "twenty", "thirty")
)
"""Of other languages than English these are no commands, and nothing comes of them."""


def usual_answers(commands: HouseCommands, house: House) -> list[str]:
    """The likeliest first; each once."""
    return [text for text in dict.fromkeys(_answers(commands, house)) if text]


def _answers(commands: HouseCommands, house: House) -> Iterator[str]:
    for understood in _understood(house):
        with suppress(KeyError):  # a language that has no such answer
            yield commands.answer(understood)
    for text in ASKED:
        asked = commands.understand(text, None)
        if asked is not None:
            yield commands.answer(asked)


def _understood(house: House) -> Iterator[Understood]:
    devices = house.settings.devices
    for intent in SWITCHED:
        for device in devices:
            named = {"name": device.name}
            yield Understood(intent, named, named)
    for domain in dict.fromkeys(device.domain for device in devices):
        for intent in SWITCHED:
            for kind in MANY:
                yield Understood(intent, {"domain": domain}, response=kind.format(domain))
    yield Understood("HassCancelTimer")
    if any(device.domain == "light" for device in devices):
        yield Understood("HassLightSet", {"brightness": 50}, response="brightness")

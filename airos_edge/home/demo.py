"""A small house to try things out in, which says that it is one."""

from airos_edge.home.house import AreaSettings, DeviceSettings, Settings
from airos_edge.languages.phrases import ENGLISH, contents, languages
from airos_edge.voice.tags import nearest


def demo_house(language: str) -> Settings:
    """With names of the language, or else with English ones."""
    told = contents(nearest(language, languages()) or ENGLISH)["demo"]
    return Settings(
        areas=tuple(AreaSettings(name) for name in told["areas"]),
        devices=tuple(DeviceSettings(*device) for device in told["devices"]),
    )

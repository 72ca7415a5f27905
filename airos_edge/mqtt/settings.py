"""The `mqtt` section, apart from the broker so that reading it does not load aiomqtt."""

from dataclasses import dataclass
from typing import Annotated

from airos_edge.limits import Range
from airos_edge.secret import Secret


@dataclass(frozen=True, slots=True)
class Settings:
    host: str | None = None
    """None: no MQTT."""
    port: Annotated[int, Range(1, 65535)] = 1883
    username: str | None = None
    password: Secret | None = None
    discovery: str = "homeassistant"
    """The topic under which devices announce themselves, and Home Assistant says that it is there."""

"""The `mdns` section, apart from what it configures so that reading it does not load zeroconf."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    enabled: bool = True

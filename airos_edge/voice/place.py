"""How far from the microphone something is."""

from enum import IntEnum


class Place(IntEnum):
    """How far from the microphone something runs. `reach` is compared with it."""

    LOCAL = 0
    """This box."""
    EDGE = 1
    """This LAN."""
    CLOUD = 2
    """Beyond it."""

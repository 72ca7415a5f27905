"""The `models` section of the configuration."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    directory: str | None = None
    """Where models are kept; None: `models` within the directory of the box's state."""
    mirror: str | None = None
    """What stands in the place of the hub's address; None: the hub itself."""

    def directory_in(self, state: Path) -> Path:
        """Where they are kept, of a box whose state is there. It may not be there yet."""
        return Path(os.path.expanduser(self.directory)) if self.directory else state / "models"

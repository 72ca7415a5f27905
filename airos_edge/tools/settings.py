"""The `tools` section: which MCP servers there are, what of them may be used, and what needs a yes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from airos_edge.errors import ConfigError
from airos_edge.network import place_of_url
from airos_edge.secret import NO_KEY, Secret
from airos_edge.voice.ports import Place

ALL = "*"
HOUSE = "airos"
"""Whose tools they are that are no server's."""


@dataclass(frozen=True, slots=True)
class ToolServerSettings:
    """One server: a program, spoken to over its input and output, or a `url`."""

    command: str | None = None
    args: tuple[str, ...] = ()
    env: Mapping[str, Secret] = field(default_factory=dict)
    url: str | None = None
    api_key: Secret | None = None
    headers: Mapping[str, Secret] = field(default_factory=dict)
    """More of them, for a url."""
    place: Place | None = None
    """Where what it is called with goes; None: where its address is, and a program: this box."""
    allow: tuple[str, ...] = ()
    """Its tools that may be used; "*": every one."""
    approval: tuple[str, ...] | Literal["never", "always"] = "never"
    """Which of them need a yes first."""

    @property
    def where(self) -> Place:
        if self.place is not None:
            return self.place
        return place_of_url(self.url) if self.url else Place.LOCAL

    def allows(self, tool: str) -> bool:
        return tool in self.allow or ALL in self.allow

    def needs_yes(self, tool: str) -> bool:
        if isinstance(self.approval, str):
            return self.approval == "always"
        return tool in self.approval


Settings = Mapping[str, ToolServerSettings]


def refuse_unclear(settings: Settings) -> None:
    """Raises ConfigError for a server that is neither a program nor an address, or both."""
    for name, server in settings.items():
        if name == HOUSE:
            raise ConfigError(f"tools.{name}: that is the house; call the server something else")
        if bool(server.command) == bool(server.url):
            raise ConfigError(f"tools.{name}: wants a command or a url, and not both")
        if server.url and not server.url.startswith(("http://", "https://")):
            raise ConfigError(f"tools.{name}.url: got {server.url!r}, wants http:// or https://")
        if server.api_key and not server.api_key.fits_a_header:
            raise ConfigError(f"tools.{name}.api_key: {NO_KEY}")
        for header, value in server.headers.items():
            if not value.fits_a_header:
                raise ConfigError(f"tools.{name}.headers.{header}: {NO_KEY}")

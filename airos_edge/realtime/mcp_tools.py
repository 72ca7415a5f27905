"""The MCP tools that a client asks for: what it may write, and which of a server's tools that means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airos_edge.errors import ProtocolError
from airos_edge.realtime import checks
from airos_edge.secret import Secret
from airos_edge.tools.servers import offered_name
from airos_edge.tools.settings import ALL, HOUSE, ToolServerSettings
from airos_edge.tools.toolbox import Tool
from airos_edge.voice.served import Served, ServedTool

ELSEWHERE = ("connector_id", "tunnel_id")
"""By way of OpenAI's own servers."""
HIDDEN = ("authorization", "headers")
"""Is never shown again."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A server as a client has written it down; `written` is the mapping itself, which holds secrets."""

    label: str
    written: Mapping[str, Any]

    @property
    def url(self) -> str | None:
        return self.written.get("server_url")

    def settings(self) -> ToolServerSettings:
        """Of a server that is reached by the url."""
        key = self.written.get("authorization")
        headers = self.written.get("headers") or {}
        return ToolServerSettings(
            url=self.url,
            allow=(ALL,),
            api_key=Secret(key) if key else None,
            headers={name: Secret(value) for name, value in headers.items()},
        )

    def served(self, server: str, tools: Sequence[Tool]) -> Served:
        """Of these the tools that the client wants."""
        wanted = self.written.get("allowed_tools")
        named = {"tool_names": wanted} if isinstance(wanted, list) else wanted
        mine = [tool for tool in tools if not named or _matches(named, tool)]
        return Served(self.label, server, tuple(self._served(server, tool) for tool in mine))

    def _served(self, server: str, tool: Tool) -> ServedTool:
        return ServedTool(
            name=tool.name if server == HOUSE else offered_name(self.label, tool.name),
            tool=tool.name,
            label=self.label,
            server=server,
            description=tool.description,
            parameters=tool.parameters,
            place=tool.place,
            asks=asks(self.written.get("require_approval"), tool),
        )


def asks(policy: Any, tool: Tool) -> bool:
    """Whether the client is to be asked. It is, unless it has said otherwise: so it is with OpenAI."""
    if policy in (None, "always", "never"):
        return bool(policy != "never")
    if _matches(policy.get("always") or {}, tool):
        return True
    if _matches(policy.get("never") or {}, tool):
        return False
    return not policy.get("always") or bool(policy.get("never"))


def _matches(wanted: Mapping[str, Any], tool: Tool) -> bool:
    """A filter that says nothing matches nothing."""
    names, read_only = wanted.get("tool_names"), wanted.get("read_only")
    if names is None and read_only is None:
        return False
    if names is not None and tool.name not in names:
        return False
    return read_only is None or bool(read_only) == bool(tool.hints.get("readOnlyHint"))


# ---- what a client wrote ------------------------------------------------------------------------


def check(path: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What may be shown of it. Raises ProtocolError."""
    checks.text(f"{path}.server_label", given.get("server_label") or None)
    for key in ELSEWHERE:
        if given.get(key) is not None:
            message = (
                f"'{given[key]}' is reached by way of OpenAI's servers, and this is none of them; "
                "name a server_url, or a tool server of this box by its server_label alone."
            )
            raise ProtocolError(message, code="invalid_value", param=f"{path}.{key}")
    url = checks.nullable(checks.text)(f"{path}.server_url", given.get("server_url"))
    if url is not None and not url.startswith(("http://", "https://")):
        raise checks.invalid(f"{path}.server_url", "http:// or https://")
    _check_secrets(path, given)
    _check_filters(path, given)
    return {key: value for key, value in given.items() if key not in HIDDEN}


def _check_secrets(path: str, given: Mapping[str, Any]) -> None:
    """Without them in its words."""
    key = checks.nullable(checks.text)(f"{path}.authorization", given.get("authorization"))
    headers = checks.nullable(checks.mapping)(f"{path}.headers", given.get("headers")) or {}
    if key is not None and not Secret(key).fits_a_header:
        raise checks.invalid(f"{path}.authorization", "a token that fits into an HTTP header")
    for name, value in headers.items():
        if not isinstance(value, str) or not Secret(value).fits_a_header or not name.isascii():
            raise checks.invalid(f"{path}.headers", "names and texts that fit into HTTP headers")


def _check_filters(path: str, given: Mapping[str, Any]) -> None:
    allowed = given.get("allowed_tools")
    if isinstance(allowed, list):
        _check_names(f"{path}.allowed_tools", allowed)
    elif allowed is not None:
        _check_filter(f"{path}.allowed_tools", allowed)
    policy = given.get("require_approval")
    if isinstance(policy, str):
        checks.one_of("always", "never")(f"{path}.require_approval", policy)
    elif policy is not None:
        for key, wanted in checks.mapping(f"{path}.require_approval", policy).items():
            checks.one_of("always", "never")(f"{path}.require_approval", key)
            if wanted is not None:
                _check_filter(f"{path}.require_approval.{key}", wanted)


def _check_filter(path: str, wanted: Any) -> None:
    wanted = checks.mapping(path, wanted)
    checks.nullable(checks.boolean)(f"{path}.read_only", wanted.get("read_only"))
    if wanted.get("tool_names") is not None:
        _check_names(f"{path}.tool_names", wanted["tool_names"])


def _check_names(path: str, names: Any) -> None:
    for place, name in enumerate(checks.sequence(path, names)):
        checks.text(f"{path}[{place}]", name)

"""The tool servers of one conversation: those that its client asked for, from the asking to its end."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from airos_edge.errors import EngineError, ProtocolError
from airos_edge.network import place_of_url, shown
from airos_edge.realtime.mcp_tools import Wanted
from airos_edge.tools.settings import ToolServerSettings
from airos_edge.tools.toolbox import Tool
from airos_edge.voice.history import Item
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Place, Prompt
from airos_edge.voice.replies import Prepare
from airos_edge.voice.respond import fault_of
from airos_edge.voice.served import Served
from airos_edge.voice.session import Session
from airos_edge.voice.work import working_at

log = logging.getLogger(__name__)

MOST_SERVERS = 16
LIST_LIMIT_S = 10.0
"""How long a response waits for the tools of a server that it has brought itself."""


class Tools(Protocol):
    """What the box has of it."""

    @property
    def names(self) -> Sequence[str]: ...
    def lend(self, key: str, name: str, settings: ToolServerSettings, nearest: Place) -> None: ...
    def take_back(self, key: str) -> None: ...
    async def listed(self, server: str) -> Sequence[Tool]: ...


class NoTools:
    """A box without any."""

    names: Sequence[str] = ()

    def lend(self, key: str, name: str, settings: ToolServerSettings, nearest: Place) -> None: ...

    def take_back(self, key: str) -> None: ...

    async def listed(self, server: str) -> Sequence[Tool]:
        raise EngineError(server, "there is no such tool server")


@dataclass(eq=False, slots=True)
class Asked:
    """One that was asked for; `key` is the box's name for it."""

    wanted: Wanted
    key: str
    served: Served
    tools: Sequence[Tool] = ()
    listing: asyncio.Task[None] | None = None


class ClientServers:
    """`client`: where the client is, who does not reach by this box what lies nearer to the box."""

    def __init__(self, tools: Callable[[], Tools] = NoTools, client: Place = Place.LOCAL) -> None:
        self._tools = tools
        self._client = client
        self._asked: dict[str, Asked] = {}
        self._of_responses: list[Asked] = []
        """Those that single responses have brought: a call of theirs may wait for a yes until the end."""

    @property
    def served(self) -> tuple[Served, ...]:
        return tuple(asked.served for asked in self._asked.values())

    def refuse(self, path: str, tools: Any, reach: Place) -> None:
        """Raises ProtocolError for a server of `tools`, which are well written, that cannot be had here."""
        seen = set[str]()
        for place, wanted in _wanted(tools):
            if len(seen) == MOST_SERVERS:
                message = f"A session has {MOST_SERVERS} MCP tools at most."
                raise ProtocolError(message, code="invalid_value", param=path)
            where = f"{path}[{place}]"
            if wanted.label in seen:
                message = f"Two MCP tools have the server_label '{wanted.label}'."
                raise ProtocolError(message, code="invalid_value", param=f"{where}.server_label")
            seen.add(wanted.label)
            if wanted.url is not None:
                self._refuse_url(f"{where}.server_url", wanted.url, reach)
            elif wanted.label not in (*self._tools().names, *self._asked):
                names = ", ".join(self._tools().names) or "none"
                message = (
                    f"Missing required parameter: '{where}.server_url'. Without it, server_label is a "
                    f"tool server of this box, which has: {names}."
                )
                code = "missing_required_parameter"
                raise ProtocolError(message, code=code, param=f"{where}.server_url")

    def _refuse_url(self, path: str, url: str, reach: Place) -> None:
        place, address = place_of_url(url), shown(url)
        if place > reach:
            message = (
                f"'{address}' lies beyond the reach of this box, which is {reach.name.lower()}: "
                "its owner can widen it by the setting `reach`."
            )
        elif place < self._client:
            message = (
                f"'{address}' is nearer to this box than you are. What is on the box, or in its network, is "
                "for its owner to offer, by the setting `tools`."
            )
        else:
            return
        raise ProtocolError(message, code="invalid_value", param=path)

    def use(self, session: Session, tools: Any) -> None:
        """From now on these, as `refuse` has let them pass. Those that are asked for as before go on; the others
        are listed, in front of the client's eyes."""
        wanted = {one.label: one for _, one in _wanted(tools)}
        before, self._asked = self._asked, {}
        for label, asked in before.items():
            if wanted.get(label) == asked.wanted:
                self._asked[label] = asked
            else:
                self._let_go(asked)
        for label, one in wanted.items():
            if label not in self._asked:
                self._asked[label] = self._begin(session, one)
        session.manner = replace(session.manner, served=self.served)

    def of_response(self, session: Session, tools: Any) -> Prepare:
        """These instead of the session's, for one response, which waits until those that are new are listed."""
        wanted = [one for _, one in _wanted(tools)]
        asked = [self._asked_before(one) or self._begin(session, one) for one in wanted]
        known = [*self._asked.values(), *self._of_responses]
        self._of_responses += [one for one in asked if one not in known]
        while len(self._of_responses) > MOST_SERVERS:
            self._let_go(self._of_responses.pop(0))

        async def prepare(prompt: Prompt) -> Prompt:
            new = [one.listing for one in asked if one.listing and not one.listing.done()]
            if new:
                await asyncio.wait(new, timeout=LIST_LIMIT_S)
            pairs = zip(wanted, asked, strict=True)
            return replace(prompt, served=tuple(one.served(it.key, it.tools) for one, it in pairs))

        return prepare

    def _asked_before(self, wanted: Wanted) -> Asked | None:
        """By the same address and with the same secrets, or by its label alone."""
        for asked in (*self._asked.values(), *self._of_responses):
            before = asked.wanted
            if before.label == wanted.label and (
                wanted.url is None or wanted.settings() == before.settings()
            ):
                return asked
        return None

    def known(self) -> tuple[Served, ...]:
        """All that a call may be of."""
        return (*self.served, *(asked.served for asked in self._of_responses))

    def end(self) -> None:
        for asked in (*self._asked.values(), *self._of_responses):
            self._let_go(asked)

    def _begin(self, session: Session, wanted: Wanted) -> Asked:
        key = new_id("mcp") if wanted.url else wanted.label
        if wanted.url:
            self._tools().lend(key, wanted.label, wanted.settings(), self._client)
        asked = Asked(wanted, key, Served(wanted.label, key))
        asked.listing = session.start(self._list(session, asked), f"listing {wanted.label}")
        return asked

    def _let_go(self, asked: Asked) -> None:
        if asked.listing is not None:
            asked.listing.cancel()
        if asked.wanted.url:
            self._tools().take_back(asked.key)

    async def _list(self, session: Session, asked: Asked) -> None:
        item = Item(
            new_id("item"),
            role="system",  # nobody has said it, and nobody answers it
            kind="mcp_list_tools",
            server=asked.wanted.label,
            status="in_progress",
        )
        with working_at(session, item) as done:
            try:
                tools = await self._tools().listed(asked.key)
            except EngineError as error:
                log.warning("The tools of a client's MCP server are not known: %s", error)
                done(fault=fault_of(error))
                self._forget(session, asked)
                return
            asked.tools, asked.served = tools, asked.wanted.served(asked.key, tools)
            session.manner = replace(session.manner, served=self.served)
            names = {tool.tool for tool in asked.served.tools}
            done(tools=tuple(_described(tool) for tool in tools if tool.name in names))

    def _forget(self, session: Session, asked: Asked) -> None:
        """Who asks for it again has it tried again."""
        if self._asked.get(asked.wanted.label) is asked:
            del self._asked[asked.wanted.label]
        if asked in self._of_responses:
            self._of_responses.remove(asked)
        asked.listing = None
        self._let_go(asked)
        session.manner = replace(session.manner, served=self.served)


def _wanted(tools: Any) -> list[tuple[int, Wanted]]:
    return [
        (place, Wanted(tool["server_label"], tool))
        for place, tool in enumerate(tools or ())
        if tool.get("type") == "mcp"
    ]


def _described(tool: Tool) -> Mapping[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": tool.parameters,
        "annotations": dict(tool.hints) or None,
    }

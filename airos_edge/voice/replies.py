"""The replies of one conversation: drafts, the active one, and those apart. Each is a task of its own."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from airos_edge.errors import AirosError
from airos_edge.voice.events import Event, Outcome
from airos_edge.voice.floor import Floor
from airos_edge.voice.flow import Scope
from airos_edge.voice.history import History
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Act, Call, Done, Engines, Place, Prompt, Text
from airos_edge.voice.reply import Reply
from airos_edge.voice.respond import failed, respond

log = logging.getLogger(__name__)

Borrow = Callable[[Place], AbstractAsyncContextManager[Engines]]
"""Leases the engines of one hear or one respond. Raises ReachError."""
Prepare = Callable[[Prompt], Awaitable[Prompt]]
"""Waits for what a prompt still lacks. Raises AirosError where the question could not be heard."""


async def as_it_is(prompt: Prompt) -> Prompt:
    return prompt


class Replies:
    """`start` makes a draft, which only thinks; `commit` makes it the active reply, of which there is one.

    Nothing here waits. The scope that the tasks run in is the conversation's.
    """

    def __init__(
        self,
        scope: Scope,
        history: History,
        floor: Floor,
        borrow: Borrow,
        tell: Callable[[Event], None],
    ) -> None:
        self._scope = scope
        self._history = history
        self._floor = floor
        self._borrow = borrow
        self._tell = tell
        self.latest: Reply | None = None
        """The reply of the conversation that was committed last."""
        self._running: dict[str, tuple[Reply, asyncio.Task[None]]] = {}

    @property
    def active(self) -> Reply | None:
        """The committed reply of the conversation that has not ended."""
        latest = self.latest
        return latest if latest is not None and latest.outcome is None else None

    def start(
        self,
        prompt: Prompt,
        prepare: Prepare = as_it_is,
        *,
        apart: Floor | None = None,
        metadata: Mapping[str, str] | None = None,
        reply_id: str | None = None,
    ) -> Reply:
        """A draft. `apart`: out of band, on a floor of its own and not for the history."""
        history = History() if apart else self._history
        reply = Reply(
            reply_id or new_id("resp"), prompt, history, self._tell, apart is not None, metadata
        )
        work = self._make(reply, apart or self._floor, prepare)
        task = self._scope.start(work, f"reply {reply.id}")
        self._running[reply.id] = (reply, task)
        task.add_done_callback(lambda _: self._ended(reply))
        return reply

    def commit(self, reply: Reply, since: float | None = None) -> None:
        """Opens the draft's gate. `since`: the loop time from which its milliseconds count."""
        if not reply.apart:
            self.latest = reply
        reply.commit(since)

    @property
    def running(self) -> dict[str, Reply]:
        """Those whose tasks have not ended, drafts among them, by id."""
        return {reply_id: reply for reply_id, (reply, _) in self._running.items()}

    def silence(self, item_id: str) -> None:
        """Nothing more is heard of the item, if it is being spoken."""
        if self.active is not None:
            self.active.silence(item_id)

    def cancel(self, reply: Reply, reason: str) -> bool:
        """Hushes, notes what was heard and cancels, in this order. False: it had ended."""
        if reply.outcome is not None:
            return False
        reply.end(Outcome("cancelled", reason=reason))
        if reply.id in self._running:
            self._running[reply.id][1].cancel()
        return True

    def cancel_all(self, reason: str) -> None:
        for reply in self.running.values():
            self.cancel(reply, reason)

    async def _make(self, reply: Reply, floor: Floor, prepare: Prepare) -> None:
        try:
            async with self._borrow(reply.prompt.reach) as engines:
                try:
                    reply.prompt = await prepare(reply.prompt)
                except AirosError as failure:
                    engines = replace(engines, responder=Failed(failure))
                await respond(reply, engines, floor)
        except AirosError as error:
            await reply.committed.wait()
            reply.end(failed(error))

    def _ended(self, reply: Reply) -> None:
        """Whatever its task died of, a reply ends; usually it has."""
        self._running.pop(reply.id, None)
        if reply.outcome is None:
            log.error("The reply %s was broken off", reply.id)
            reply.end(Outcome("failed", error="it was broken off by a mistake; see the log"))


class Failed:
    """A responder for a question that could not be heard: it fails as the recogniser did."""

    place = Place.LOCAL

    def __init__(self, failure: AirosError) -> None:
        self.name = "asr"
        self._failure = failure

    async def reply(self, prompt: Prompt, act: Act) -> AsyncGenerator[Text | Call | Done, Any]:
        raise self._failure
        yield

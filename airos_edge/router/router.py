"""Who answers: a responder made of responders, asked in their order until one of them does."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from airos_edge.errors import ConfigError, EngineError, ReachError
from airos_edge.router.answer import Answer
from airos_edge.router.assistant import ESCALATE, ESCALATE_TOOL
from airos_edge.router.breaker import Breaker
from airos_edge.router.toolbox import Tool, Toolbox
from airos_edge.voice.flow import Joint, chain
from airos_edge.voice.ports import Act, Call, Done, Place, Prompt, Responder, Text

log = logging.getLogger(__name__)

COMMANDS = "commands"
MOST_ROUNDS = 8
"""How often a tier may call tools before it has to answer with what it knows."""
SENTENCE = re.compile(r"[.!?…。！？؟।\n]")
"""No sentence ends without one of these."""

Part = Text | Call | Done
Parts = AsyncGenerator[Part, None]


@dataclass(frozen=True, slots=True)
class Settings:
    """The `router` section: who is asked, in this order: `commands`, and models by their names."""

    tiers: tuple[str, ...] = (COMMANDS,)


@dataclass(frozen=True, slots=True)
class Tier:
    """Somebody who may be asked. `first_token_s`: how long may be waited for the first words."""

    responder: Responder
    breaker: Breaker
    first_token_s: float | None = None
    takes_tools: bool = True


class Escalated(Exception):
    """A tier wants the next one to be asked. It does not leave this file."""


class Router:
    """`commands` is a tier of its own and, besides, answers where nothing was heard; `order` names
    those that are asked. A client may name any of `models` to have it alone."""

    name = "router"
    place = Place.LOCAL

    def __init__(
        self,
        commands: Responder,
        models: Mapping[str, Tier],
        order: Sequence[str],
        instructions: str,
        toolbox: Toolbox | None = None,
    ) -> None:
        self._commands = Tier(commands, Breaker(COMMANDS), takes_tools=False)
        self._known = {COMMANDS: self._commands, **models}
        self._order = [self._known[name] for name in order if name in self._known]
        self._instructions = instructions
        self._toolbox = toolbox

    @property
    def parts(self) -> Sequence[Responder]:
        """What is to be kept open, and to be closed, with it."""
        return [tier.responder for tier in self._known.values()]

    async def reply(self, prompt: Prompt, act: Act) -> Parts:
        """The answer of the first tier that has one. What one has said or done, the next goes on from.

        Raises EngineError when all have failed, ReachError when none is within reach.
        """
        tiers = self._within_reach(prompt)
        answer, failures = Answer(prompt), list[EngineError]()
        for place, tier in enumerate(tiers, start=1):
            try:
                parts = self._ask(tier, prompt, answer, act, is_last=place == len(tiers))
                async with aclosing(parts):
                    async for part in parts:
                        yield part
                return
            except Escalated:
                log.debug("%s passes the question on", tier.responder.name)
            except EngineError as error:
                failures.append(error)
                if place < len(tiers):
                    log.warning("%s Asking %s.", error, tiers[place].responder.name)
            answer.break_off()
        if len(failures) == 1:
            raise failures[0]
        raise EngineError(self.name, "; ".join(map(str, failures)))

    # ---- who is asked ----

    def _within_reach(self, prompt: Prompt) -> list[Tier]:
        tiers = self._chosen(prompt)
        within = [tier for tier in tiers if tier.responder.place <= prompt.reach]
        if not within:
            names = ", ".join(tier.responder.name for tier in tiers)
            reach = prompt.reach.name.lower()
            raise ReachError(names, f"lies beyond `reach`, which is {reach}")
        return within

    def _chosen(self, prompt: Prompt) -> list[Tier]:
        """A conversation with instructions or tools of its own is not about the house's commands."""
        if prompt.items and prompt.items[-1].role == "user" and not prompt.question.strip():
            return [self._commands]
        if prompt.responder in self._known:
            return [self._known[prompt.responder]]
        if prompt.instructions or prompt.tools:
            return [tier for tier in self._order if tier is not self._commands] or self._order
        return self._order

    # ---- one of them ----

    async def _ask(
        self, tier: Tier, prompt: Prompt, answer: Answer, act: Act, is_last: bool
    ) -> Parts:
        """Completions, until one of them calls nothing that is ours to make.

        Raises EngineError; Escalated where it may.
        """
        ours = await self._offered(tier, prompt)
        for rounds in range(MOST_ROUNDS + 1):
            putting = replace(
                prompt,
                items=answer.items,
                instructions=self._told(prompt),
                tools=_tools(prompt, ours, is_last),
                tool_choice=_choice(prompt, rounds),
            )
            calls, done = list[Call](), Done(tier.responder.name)
            parts = completion(tier, putting, act)
            async with aclosing(by_sentence(parts) if prompt.speaking else parts) as parts:
                async for part in parts:
                    match part:
                        case Text(text):
                            yield answer.say(text)
                        case Call(name) if name == ESCALATE and not is_last:
                            raise Escalated
                        case Call():
                            calls.append(part)
                        case Done():
                            done = part
            done = answer.end(done)
            theirs, waiting, mine = self._sorted(calls, prompt, ours)
            for call in mine:
                answer.called(call, await _make(call, ours, act))
            if theirs or waiting or not mine:
                for part in (*waiting, *theirs, done):
                    yield part
                return
        raise EngineError(
            tier.responder.name, f"called tools {MOST_ROUNDS} times and did not answer"
        )

    async def _offered(self, tier: Tier, prompt: Prompt) -> Mapping[str, Tool]:
        """Our own tools, by name. A client's tool of the same name comes before ours."""
        if self._toolbox is None or not tier.takes_tools or prompt.tool_choice == "none":
            return {}
        offered = await self._toolbox.offered(prompt.reach)
        theirs = _names(prompt)
        return {tool.name: tool for tool in offered if tool.name not in theirs}

    def _told(self, prompt: Prompt) -> str:
        told = prompt.instructions or self._instructions
        return f"{told}\nThe question comes from here: {prompt.place}." if prompt.place else told

    def _sorted(
        self, calls: Sequence[Call], prompt: Prompt, ours: Mapping[str, Tool]
    ) -> tuple[list[Call], list[Part], list[Call]]:
        """The client's calls; the first of ours that waits for a yes, with its question; the rest."""
        names, waiting = _names(prompt), list[Part]()
        theirs = [call for call in calls if call.name in names]
        mine = [call for call in calls if call.name not in names]
        asking = [call for call in mine if call.name in ours and self._needs_yes(call)]
        if asking:
            waiting = [*asked(asking[0])]
        return theirs, waiting, [call for call in mine if call not in asking]

    def _needs_yes(self, call: Call) -> bool:
        return self._toolbox is not None and self._toolbox.needs_yes(call)


async def completion(tier: Tier, prompt: Prompt, act: Act) -> Parts:
    """What a tier makes of the prompt: in time, and as far as it has to be, after the commit.

    Raises EngineError, whatever the tier raises or does not do.
    """
    responder = tier.responder
    with tier.breaker.attempt() as attempt:
        if responder.place is Place.CLOUD:
            await act.committed()
        act.goes(responder.place)
        async with chain(responder.reply(prompt, act), name=responder.name) as parts:
            first = await _first(parts, tier)
            attempt.has_answered = True
            yield first
            async for part in parts:
                yield part


async def _first(parts: Joint[Part], tier: Tier) -> Part:
    try:
        async with asyncio.timeout(tier.first_token_s):
            return await anext(parts)
    except TimeoutError:
        what = f"did not begin to answer within {tier.first_token_s:g} s"
        raise EngineError(tier.responder.name, what) from None
    except StopAsyncIteration:
        raise EngineError(tier.responder.name, "ended without an answer") from None


async def by_sentence(parts: Parts) -> Parts:
    """Holds text back until a sentence may have ended: who fails before that has said nothing.

    Nobody waits longer for it, as nothing less than a sentence is spoken.
    """
    held: str | None = ""
    async with aclosing(parts):
        async for part in parts:
            if isinstance(part, Text) and held is not None:
                held += part.text
                if not SENTENCE.search(held):
                    continue
                part, held = Text(held), None
            elif held:
                yield Text(held)
                held = None
            yield part


# ---- tools --------------------------------------------------------------------------------------


def _names(prompt: Prompt) -> set[str]:
    """The client's tools."""
    return {str(tool.get("name")) for tool in prompt.tools}


def _tools(
    prompt: Prompt, ours: Mapping[str, Tool], is_last: bool
) -> tuple[Mapping[str, Any], ...]:
    """As the Realtime API writes them: the client's, ours, and the way out where there is one."""
    own = (
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        }
        for tool in ours.values()
    )
    return (*prompt.tools, *own, *(() if is_last else (ESCALATE_TOOL,)))


def _choice(prompt: Prompt, rounds: int) -> str | Mapping[str, Any]:
    """What had to be called has been; and at last there has to be an answer."""
    if rounds == MOST_ROUNDS:
        return "none"
    return "auto" if rounds and prompt.tool_choice != "none" else prompt.tool_choice


async def _make(call: Call, ours: Mapping[str, Tool], act: Act) -> str:
    """The result for the model, which is also told what went wrong."""
    if call.name not in ours:
        return f"There is no tool {call.name!r}."
    act.goes(ours[call.name].place)
    try:
        return await act(call)
    except EngineError as error:
        return f"It failed: {error}"


def asked(call: Call) -> Iterator[Text | Call]:
    """How a reply ends at a call of ours that somebody has to say yes to: the question, and the call."""
    values = ", ".join(map(str, call.arguments.values()))
    yield Text(f"Shall I really do that: {call.name.replace('_', ' ')}{values and f', {values}'}?")
    yield replace(call, waits_for_yes=True)


# ---- the configuration --------------------------------------------------------------------------


def refuse_unknown(settings: Settings, models: Collection[str]) -> None:
    """Raises ConfigError for a tier that is no model, and for a model that cannot be one."""
    for reserved in {COMMANDS, Router.name, "airos"}.intersection(models):
        raise ConfigError(f"llm.{reserved}: a model cannot be called that")
    for place, tier in enumerate(settings.tiers):
        if tier not in (COMMANDS, *models):
            known = [COMMANDS, *models]
            near = get_close_matches(tier, known, n=1) or known
            message = f"there is no model {tier!r} in the section `llm`; try {' or '.join(near)}"
            raise ConfigError(f"router.tiers[{place}]: {message}")
    if len(set(settings.tiers)) < len(settings.tiers):
        raise ConfigError("router.tiers: one of them is named twice")

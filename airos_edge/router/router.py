"""Who answers: a responder made of responders, asked in their order until one of them does."""

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from difflib import get_close_matches

from airos_edge.errors import ConfigError, EngineError, PromptError, ReachError
from airos_edge.router.answer import Answer
from airos_edge.router.breaker import Breaker
from airos_edge.router.context import fitted
from airos_edge.router.kit import MOST_ROUNDS, Escalated, Kit, kit_for
from airos_edge.router.tiers import Parts, Tier, completion
from airos_edge.tools.toolbox import Toolbox
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Act, Call, Done, Place, Prompt, Responder, Text

log = logging.getLogger(__name__)

COMMANDS = "commands"
TOO_SHORT = "used all its tokens and said nothing; give it more by llm.{}.max_tokens"


@dataclass(frozen=True, slots=True)
class Settings:
    """The `router` section: who is asked, in this order: `commands`, and models by their names."""

    tiers: tuple[str, ...] = (COMMANDS,)


class Router:
    """`commands` is a tier of its own and, besides, answers where nothing was heard; `order` names
    those that are asked. A client may name any of `models` to have it alone. Nobody beyond `reach` is
    asked, whatever a conversation was allowed when it began."""

    name = "router"
    place = Place.LOCAL

    def __init__(
        self,
        commands: Responder,
        models: Mapping[str, Tier],
        order: Sequence[str],
        instructions: str,
        toolbox: Toolbox | None = None,
        reach: Place = Place.CLOUD,
    ) -> None:
        self._commands = Tier(commands, Breaker(COMMANDS), is_model=False)
        self._known = {COMMANDS: self._commands, **models}
        self._order = [self._known[name] for name in order if name in self._known]
        self._instructions = instructions
        self._toolbox = toolbox
        self._reach = reach

    @property
    def parts(self) -> Sequence[Responder]:
        """What is to be kept open, and to be closed, with it."""
        return [tier.responder for tier in self._known.values()]

    async def usual_prompt(self, name: str) -> Prompt:
        """What every question to this model begins with, unless a client says otherwise."""
        toolbox = self._toolbox if self._known[name].is_model else None
        is_last = not self._order or self._order[-1].name == name
        prompt = Prompt(instructions=self._instructions, reach=self._reach)
        return (await kit_for(prompt, toolbox, is_last)).offer(rounds=0)

    async def reply(self, prompt: Prompt, act: Act) -> Parts:
        """The answer of the first tier that has one. What one has said or done, the next goes on from.

        Raises EngineError when all have failed, ReachError when none is within reach.
        """
        prompt = replace(prompt, reach=min(prompt.reach, self._reach))
        tiers = self._within_reach(prompt)
        answer, failures = Answer(prompt), list[EngineError]()
        for place, tier in enumerate(tiers, start=1):
            if answer.has_begun and not tier.is_model:
                continue  # it answers questions, and cannot go on with what others have begun
            try:
                parts = self._ask(tier, prompt, answer, act, is_last=place == len(tiers))
                async with aclosing(parts):
                    async for part in parts:
                        yield part
                return
            except Escalated:
                log.debug("%s passes the question on", tier.name)
            except EngineError as error:
                failures.append(error)
                if place < len(tiers):
                    log.warning("%s; asking %s", error, tiers[place].name)
            for pause in answer.break_off() if place < len(tiers) else ():
                yield pause
        if failures and (len(failures) == 1 or isinstance(failures[-1], PromptError)):
            raise failures[-1]
        why = "; ".join(map(str, failures)) or "nobody could go on with the answer"
        raise EngineError(self.name, why)

    # ---- who is asked ----

    def _within_reach(self, prompt: Prompt) -> list[Tier]:
        tiers = self._chosen(prompt)
        if not tiers:
            raise EngineError(
                self.name, "nobody could answer: see `router.tiers`, and `airos check`"
            )
        within = [tier for tier in tiers if tier.responder.place <= prompt.reach]
        if not within:
            names = ", ".join(tier.name for tier in tiers)
            reach = prompt.reach.name.lower()
            raise ReachError(names, f"lies beyond `reach`, which is {reach}")
        return _seeing(within, prompt)

    def _chosen(self, prompt: Prompt) -> list[Tier]:
        """A conversation with instructions or tools of its own is not about the house's commands."""
        if prompt.items and prompt.items[-1].role == "user" and not _has_said(prompt.items[-1]):
            return [self._commands]
        if prompt.responder in self._known:
            chosen = [self._known[prompt.responder]]
        elif prompt.instructions or prompt.tools or prompt.served:
            chosen = [tier for tier in self._order if tier is not self._commands] or self._order
        else:
            chosen = self._order
        if prompt.safe_only:  # what somebody else's box does with a question is not ours to limit
            return [tier for tier in chosen if tier is self._commands or tier.is_model]
        return chosen

    # ---- one of them ----

    async def _ask(
        self, tier: Tier, prompt: Prompt, answer: Answer, act: Act, is_last: bool
    ) -> Parts:
        """Completions, until one of them calls nothing that is ours to make.

        Raises EngineError; Escalated where it may.
        """
        kit = await self._kit(tier, prompt, act, is_last)
        for rounds in range(MOST_ROUNDS + 1):
            asked = replace(kit.offer(rounds), items=answer.items)
            asked = fitted(asked, tier.reads_tokens, tier.name)
            calls, done = list[Call](), Done(tier.name)
            async with aclosing(completion(tier, asked, act)) as parts:
                async for part in parts:
                    match part:
                        case Text(text, language):
                            yield answer.say(text, language)
                        case Call():
                            calls.append(part)
                        case Done():
                            done = part
            called = kit.sort(calls if prompt.parallel_calls else calls[:1])
            for pause in answer.pause() if called.mine else ():
                yield pause
            _refuse_silence(done, calls, answer)
            done = answer.end(done)
            for call in called.mine:
                answer.called(call, await kit.make(call, act))
            if called.ending or not called.mine:
                for call in called.ending:
                    yield call
                yield done
                return
        raise EngineError(tier.name, f"called tools {MOST_ROUNDS} times and did not answer")

    async def _kit(self, tier: Tier, prompt: Prompt, act: Act, is_last: bool) -> Kit:
        told = prompt.instructions or self._instructions
        if prompt.place:
            told += f"\nThe question comes from here: {prompt.place}."
        toolbox = self._toolbox if tier.is_model else None
        if toolbox is not None and prompt.reach is Place.CLOUD:
            await act.committed()  # a tool server may lie there, and be asked which tools it has
        return await kit_for(replace(prompt, instructions=told), toolbox, is_last)


def _has_said(item: Item) -> bool:
    return bool((item.text or "").strip() or item.pictures)


def _seeing(tiers: list[Tier], prompt: Prompt) -> list[Tier]:
    """A question with a picture is for models that see, and, where it has words, for who is no model.

    Raises PromptError if there are models, and none that sees; or none, and the picture is all that was said.
    """
    if prompt.asked is None or not prompt.asked.pictures:
        return tiers
    models = [tier for tier in tiers if tier.is_model]
    seeing = [
        tier for tier in tiers if tier.sees or (not tier.is_model and prompt.question.strip())
    ]
    if not seeing or (models and not any(tier.sees for tier in models)):
        names = ", ".join(tier.name for tier in models or tiers)
        message = "does not see pictures; of a model that does, `llm.<name>.sees: true` says so"
        raise PromptError(names, message, "unsupported_content_type")
    return seeing


def _refuse_silence(done: Done, calls: Sequence[Call], answer: Answer) -> None:
    """Raises EngineError of a model that has used up its tokens on thoughts."""
    if done.why == "max_tokens" and not calls and not answer.has_begun:
        raise EngineError(done.tier, TOO_SHORT.format(done.tier))


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

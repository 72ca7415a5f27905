"""Calls that need a yes: the reply asks and ends, and the next one makes the call, or does not.

What waits is not remembered here: it follows from the history. Nothing waits inside a turn.
"""

import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from airos_edge.errors import EngineError
from airos_edge.languages.phrases import ENGLISH, Phrases, phrases
from airos_edge.router.answer import made, readable
from airos_edge.router.meaning import MOST_TIMES
from airos_edge.router.wording import plain
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Act, Call, Done, Place, Prompt, Responder, Text

TIER = "confirmation"

Parts = AsyncGenerator[Text | Call | Done, None]
Said = Literal["yes", "no", "perhaps"]


class Asked(Protocol):
    def place_of(self, call: Call) -> Place:
        """How far what it is called with goes."""

    def in_words(self, call: Call, says: Phrases) -> str:
        """What the call does, as it stands after "Shall I". Raises EngineError for one that cannot be made."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said to a request. `times`: how often in a row it has been asked by then; `says`: the
    language it was asked in."""

    call: Call
    said: Said
    times: int
    says: Phrases


def answered(
    items: Sequence[Item],
    question: Callable[[Call, Phrases], str],
    languages: Sequence[str] = (ENGLISH,),
) -> Answer | None:
    """The answer that the last item is to a request just before it, which was asked in one of the languages;
    None: it is none, and a request is void.

    The `question` of the call must have been heard, at least the beginning of it. What was not surely
    heard is no yes.
    """
    talk = [item for item in items if item.role != "system" and (item.role != "user" or item.text)]
    if len(talk) < 3 or talk[-1].role != "user" or talk[-2].kind != "approval_request":
        return None
    asked, request, item = talk[-3:]
    if request.server is not None:
        return None  # nobody was asked aloud
    call = Call.of(request)
    if asked.role != "assistant":
        return None
    known = map(phrases, languages)
    heard = (says for says in known if _was_heard(question(call, says), asked.text or "", says))
    says = next(heard, None)
    said = _said(item, says) if says is not None else None
    if says is None or said is None:
        return None
    same = [one for one in talk if one.kind == request.kind and one.call_id == request.call_id]
    return Answer(replace(call, waits_for_yes=True), said, len(same), says)


def _said(item: Item, says: Phrases) -> Said | None:
    words, is_sure = plain(item.text or ""), item.sure and not item.alternatives
    if words in map(plain, (*says.no, *says.refused)):
        return "no"
    if words in map(plain, (*says.yes, *says.agreed)):
        return "yes" if is_sure else "perhaps"
    return None


def _was_heard(question: str, said: str, says: Phrases) -> bool:
    """In what was said as far as it was heard. A model may have asked something else before it, in the same
    words; what the call is made with is left out, as it may be spoken otherwise than it is written."""
    asked_for = re.split("[,，]", question)[0]
    wanted, heard, asking = plain(asked_for), plain(said), plain(_asking(says))
    _, is_asked, rest = heard.rpartition(asking)
    return wanted in heard or (bool(is_asked) and wanted.startswith(asking + rest))


def _asking(says: Phrases) -> str:
    """How every question begins: "Shall I"."""
    return says.ask.partition("{what}")[0]


class Approving:
    """A responder around another one, which yields a call that waits for a yes and knows no more of it.
    `languages` are those of the house, the box's own first."""

    def __init__(
        self, inner: Responder, tools: Asked, languages: Sequence[str] = (ENGLISH,)
    ) -> None:
        self.name = inner.name
        self.place = inner.place
        self._inner = inner
        self._tools = tools
        self._languages = languages

    @property
    def parts(self) -> Sequence[Responder]:
        """What it is made of, for who closes that."""
        return (self._inner, *getattr(self._inner, "parts", ()))

    async def reply(self, prompt: Prompt, act: Act) -> Parts:
        """Raises EngineError. After a yes the inner one goes on with the call and its result as items."""
        answer = answered(prompt.items, self._asked, self._languages)
        others = readable(prompt.items)
        match answer:
            case Answer(call, "yes", says=says):
                parts = self._doing(call, replace(prompt, items=others), act, says)
            case Answer(call, "perhaps", times, says) if times < MOST_TIMES:
                parts = _again(call, self._question(call, says), says)
            case Answer(says=says):
                parts = _given_up(says)
            case None:
                parts = self._asking(replace(prompt, items=others), act)
        async with aclosing(parts):
            async for part in parts:
                yield part

    def _question(self, call: Call, says: Phrases) -> str:
        return says.ask.format(what=self._tools.in_words(call, says))

    def _asked(self, call: Call, says: Phrases) -> str:
        """The question that was asked; of a call that can no longer be made, how it began."""
        try:
            return self._question(call, says)
        except EngineError:
            return _asking(says)

    async def _asking(self, prompt: Prompt, act: Act) -> Parts:
        """What the inner one says, up to its first call that waits; then the question."""
        says = phrases(prompt.question_language or self._languages[0])
        has_spoken = has_asked = False
        async with aclosing(self._inner.reply(prompt, act)) as parts:
            async for part in parts:
                match part:
                    case Done() if has_asked:
                        yield replace(part, expects=(*says.yes, *says.no))
                    case Call(waits_for_yes=True, served=None) if not has_asked:
                        has_asked = True
                        question = self._question(part, says)
                        question = f"\n{question}" if has_spoken else question
                        yield Text(question, says.language)
                        yield part
                    case _ if not has_asked:
                        has_spoken = has_spoken or isinstance(part, Text)
                        yield part

    async def _doing(self, call: Call, prompt: Prompt, act: Act, says: Phrases) -> Parts:
        """Makes the call; the inner one goes on. If that fails, what was done is told all the same."""
        try:
            await act.committed()
            act.goes(self._tools.place_of(call))
            result, told = await act(replace(call, waits_for_yes=False)), says.done
        except EngineError as error:
            result, told = f"It failed: {error}", says.not_done
        has_spoken = False
        try:
            after = replace(prompt, items=(*prompt.items, *made(call, result)))
            async with aclosing(self._asking(after, act)) as parts:
                async for part in parts:
                    has_spoken = True
                    yield part
        except EngineError:
            if has_spoken:
                raise
            yield Text(told, says.language)
            yield Done(TIER)


async def _again(call: Call, question: str, says: Phrases) -> Parts:
    yield Text(f"{says.not_heard} {question}", says.language)
    yield call
    yield Done(TIER, expects=(*says.yes, *says.no))


async def _given_up(says: Phrases) -> Parts:
    yield Text(says.given_up, says.language)
    yield Done(TIER)

"""Calls that need a yes: the reply asks and ends, and the next one makes the call, or does not.

What waits is not remembered here: it follows from the history. Nothing waits inside a turn.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from airos_edge.errors import EngineError
from airos_edge.router.answer import made, readable
from airos_edge.router.meaning import GIVEN_UP, MOST_TIMES, NO, NOT_HEARD, YES
from airos_edge.router.wording import plain
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Act, Call, Done, Place, Prompt, Responder, Text

AGREED = {*YES, "yeah", "yep", "yes do", "yes do it", "sure", "okay", "ok", "go ahead", "please do"}
REFUSED = {*NO, "nope", "don't", "no don't"}
ASKING = "Shall I"
DONE = "Done."
NOT_DONE = "Sorry, that did not work."
TIER = "confirmation"

Parts = AsyncGenerator[Text | Call | Done, None]


class Asked(Protocol):
    def place_of(self, call: Call) -> Place:
        """How far what it is called with goes."""

    def in_words(self, call: Call) -> str:
        """What the call does, as it stands after "Shall I". Raises EngineError for one that cannot be made."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said to a request. `times`: how often in a row it has been asked by then."""

    call: Call
    said: Literal["yes", "no", "perhaps"]
    times: int


def answered(items: Sequence[Item], question: Callable[[Call], str]) -> Answer | None:
    """The answer that the last item is to a request just before it; None: it is none, and a request is void.

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
    if asked.role != "assistant" or not _was_heard(question(call), asked.text or ""):
        return None
    words = plain(item.text or "")
    is_sure = item.sure and not item.alternatives
    if words in REFUSED:
        said: Literal["yes", "no", "perhaps"] = "no"
    elif words in AGREED:
        said = "yes" if is_sure else "perhaps"
    else:
        return None
    same = [one for one in talk if one.kind == request.kind and one.call_id == request.call_id]
    return Answer(replace(call, waits_for_yes=True), said, len(same))


def _was_heard(question: str, said: str) -> bool:
    """In what was said as far as it was heard. A model may have asked something else before it, in the same
    words; what the call is made with is left out, as it may be spoken otherwise than it is written."""
    wanted, heard, asking = plain(question.partition(",")[0]), plain(said), plain(ASKING)
    _, is_asked, rest = heard.rpartition(asking)
    return wanted in heard or (bool(is_asked) and wanted.startswith(asking + rest))


class Approving:
    """A responder around another one, which yields a call that waits for a yes and knows no more of it."""

    def __init__(self, inner: Responder, tools: Asked) -> None:
        self.name = inner.name
        self.place = inner.place
        self._inner = inner
        self._tools = tools

    @property
    def parts(self) -> Sequence[Responder]:
        """What it is made of, for who closes that."""
        return (self._inner, *getattr(self._inner, "parts", ()))

    async def reply(self, prompt: Prompt, act: Act) -> Parts:
        """Raises EngineError. After a yes the inner one goes on with the call and its result as items."""
        answer = answered(prompt.items, self._asked)
        others = readable(prompt.items)
        match answer:
            case Answer(call, "yes"):
                parts = self._doing(call, replace(prompt, items=others), act)
            case Answer(call, "perhaps", times) if times < MOST_TIMES:
                parts = _again(call, self._question(call))
            case Answer():
                parts = _given_up()
            case None:
                parts = self._asking(replace(prompt, items=others), act)
        async with aclosing(parts):
            async for part in parts:
                yield part

    def _question(self, call: Call) -> str:
        return f"{ASKING} {self._tools.in_words(call)}?"

    def _asked(self, call: Call) -> str:
        """The question that was asked; of a call that can no longer be made, how it began."""
        try:
            return self._question(call)
        except EngineError:
            return ASKING

    async def _asking(self, prompt: Prompt, act: Act) -> Parts:
        """What the inner one says, up to its first call that waits; then the question."""
        has_spoken = has_asked = False
        async with aclosing(self._inner.reply(prompt, act)) as parts:
            async for part in parts:
                match part:
                    case Done() if has_asked:
                        yield replace(part, expects=(*YES, *NO))
                    case Call(waits_for_yes=True, served=None) if not has_asked:
                        has_asked = True
                        question = self._question(part)
                        yield Text(f"\n{question}" if has_spoken else question)
                        yield part
                    case _ if not has_asked:
                        has_spoken = has_spoken or isinstance(part, Text)
                        yield part

    async def _doing(self, call: Call, prompt: Prompt, act: Act) -> Parts:
        """Makes the call; the inner one goes on. If that fails, what was done is told all the same."""
        try:
            await act.committed()
            act.goes(self._tools.place_of(call))
            result, told = await act(replace(call, waits_for_yes=False)), DONE
        except EngineError as error:
            result, told = f"It failed: {error}", NOT_DONE
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
            yield Text(told)
            yield Done(TIER)


async def _again(call: Call, question: str) -> Parts:
    yield Text(f"{NOT_HEARD} {question}")
    yield call
    yield Done(TIER, expects=(*YES, *NO))


async def _given_up() -> Parts:
    yield Text(GIVEN_UP)
    yield Done(TIER)

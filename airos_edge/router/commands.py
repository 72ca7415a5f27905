"""Commands answered on the box: a sentence that the house understands, a question back, or an honest no
where nobody else could be asked."""

from collections.abc import AsyncGenerator
from typing import Generic

from airos_edge.errors import EngineError
from airos_edge.router.meaning import NO_COMMAND, House, Saying, U, meant
from airos_edge.voice.idle import NUDGE
from airos_edge.voice.ports import ESCALATE, Act, Call, Done, Place, Prompt, Text

STILL_THERE = "Are you still there?"
NOT_FROM_THERE = "I only do that when I am asked here."


class Commands(Generic[U]):
    name = "commands"
    place = Place.LOCAL

    def __init__(self, house: House[U]) -> None:
        self._house = house

    def _unasked(self, prompt: Prompt) -> Saying | None:
        """Of who was told to speak by a system message, and asked nothing: that is for who can make something
        of it, but that nobody has spoken for long can be asked about without understanding."""
        told = prompt.items[-1] if prompt.items else None
        if told is None or (told.role, told.kind) != ("system", "message"):
            return None
        is_nudge = told.text == NUDGE
        if prompt.question and not is_nudge:
            return None
        if prompt.may_escalate:
            return Saying(NO_COMMAND)
        return Saying(STILL_THERE) if is_nudge else None

    async def reply(self, prompt: Prompt, act: Act) -> AsyncGenerator[Text | Call | Done, None]:
        understood = self._unasked(prompt) or meant(prompt.items, self._house, prompt.place)
        if understood == Saying(NO_COMMAND) and prompt.may_escalate:
            yield Call(ESCALATE)
            yield Done(self.name)
            return
        if isinstance(understood, Saying):
            yield Text(understood.text)
            yield Done(self.name, expects=tuple(understood.answers), declined=understood.is_no)
            return
        if understood.is_grave and prompt.safe_only:
            yield Text(NOT_FROM_THERE)
            yield Done(self.name, declined=True)
            return
        try:
            result = ""
            if understood.is_effect:
                result = await act(Call(understood.intent, understood.slots))
            answer = self._house.answer(understood, result)
        except EngineError:
            answer = self._house.sorry(understood)
        if answer:
            yield Text(answer)
        yield Done(self.name, intent=understood.intent, slots=understood.slots)

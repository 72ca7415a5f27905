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

    async def reply(self, prompt: Prompt, act: Act) -> AsyncGenerator[Text | Call | Done, None]:
        understood = meant(prompt.items, self._house, prompt.place)
        if bool(prompt.items) and prompt.items[-1].text == NUDGE:
            understood = Saying(NO_COMMAND if prompt.may_escalate else STILL_THERE)
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

"""Commands answered on the box: a sentence that the house understands, a question back, or an honest no
where nobody else could be asked."""

from collections.abc import AsyncGenerator
from typing import Generic

from airos_edge.errors import EngineError
from airos_edge.languages.phrases import ENGLISH, phrases
from airos_edge.router.meaning import House, Saying, U, meant, no_command
from airos_edge.voice.idle import NUDGE
from airos_edge.voice.ports import ESCALATE, Act, Call, Done, Place, Prompt, Text


class Commands(Generic[U]):
    name = "commands"
    place = Place.LOCAL

    def __init__(self, house: House[U], language: str = ENGLISH) -> None:
        self._house = house
        self._language = language

    def _unasked(self, prompt: Prompt) -> Saying | None:
        """Of who was told to speak by a system message, and asked nothing: that is for who can make something
        of it, but that nobody has spoken for long can be asked about without understanding."""
        told = prompt.items[-1] if prompt.items else None
        if told is None or (told.role, told.kind) != ("system", "message"):
            return None
        is_nudge = told.text == NUDGE
        if prompt.question and not is_nudge:
            return None
        says = phrases(prompt.question_language or self._language)
        if prompt.may_escalate:
            return no_command(says)
        return Saying(says.still_there, says.language) if is_nudge else None

    async def reply(self, prompt: Prompt, act: Act) -> AsyncGenerator[Text | Call | Done, None]:
        understood = self._unasked(prompt) or meant(
            prompt.items, self._house, prompt.place, self._language
        )
        if isinstance(understood, Saying):
            if understood.why == "no command" and prompt.may_escalate:
                yield Call(ESCALATE)
                yield Done(self.name)
                return
            yield Text(understood.text, understood.language)
            declined = understood.why is not None
            yield Done(self.name, expects=tuple(understood.answers), declined=declined)
            return
        if understood.is_grave and prompt.safe_only:
            says = phrases(understood.language)
            yield Text(says.not_from_there, says.language)
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
            yield Text(answer, understood.language)
        yield Done(self.name, intent=understood.intent, slots=understood.slots)

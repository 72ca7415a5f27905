"""Commands answered on the box: a sentence that the house understands, or an honest no."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from airos_edge.errors import EngineError
from airos_edge.voice.ports import Act, Call, Done, Place, Prompt, Text

NOT_HEARD = "Sorry, I didn't catch that."
NO_COMMAND = "I only know house commands yet."


@dataclass(frozen=True, slots=True)
class Settings:
    """The `router` section: who is asked, in this order."""

    tiers: tuple[Literal["commands"], ...] = ("commands",)


class Understood(Protocol):
    @property
    def intent(self) -> str: ...
    @property
    def slots(self) -> Mapping[str, Any]: ...
    @property
    def is_effect(self) -> bool: ...


U = TypeVar("U", bound=Understood)


class House(Protocol[U]):
    """What the house makes of a sentence."""

    def understand(self, text: str, place: str | None) -> U | None: ...
    def answer(self, understood: U, result: str) -> str: ...
    def sorry(self, understood: U) -> str: ...


class Commands(Generic[U]):
    name = "commands"
    place = Place.LOCAL

    def __init__(self, house: House[U]) -> None:
        self._house = house

    async def reply(self, prompt: Prompt, act: Act) -> AsyncGenerator[Text | Call | Done, None]:
        question = prompt.question.strip()
        understood = self._house.understand(question, prompt.place) if question else None
        if understood is None:
            yield Text(NO_COMMAND if question else NOT_HEARD)
            yield Done(self.name)
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

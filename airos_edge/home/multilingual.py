"""The house's commands in every language that is spoken in it."""

from collections.abc import Hashable, Sequence

from airos_edge.home.commands import HouseCommands, Understood
from airos_edge.voice.ports import Call
from airos_edge.voice.tags import is_same


class Multilingual:
    """Of one house, in one language each; the first is the box's own."""

    def __init__(self, commands: Sequence[HouseCommands]) -> None:
        self._commands = tuple(commands)

    @property
    def own(self) -> HouseCommands:
        """Those in the box's own language."""
        return self._commands[0]

    @property
    def languages(self) -> Sequence[str]:
        return [each.language for each in self._commands]

    def warm_up(self) -> None:
        """See `HouseCommands.warm_up`."""
        for each in self._commands:
            each.warm_up()

    def understand(
        self, text: str, place: str | None, language: str | None = None
    ) -> Understood | None:
        """By the first whose sentence it is: the language it was heard in, where that is known, before the
        others. None if it is no command in any."""
        first = [each for each in self._commands if language and is_same(each.language, language)]
        for each in dict.fromkeys((*first, *self._commands)):
            if (understood := each.understand(text, place)) is not None:
                return understood
        return None

    def meaning(self, understood: Understood) -> Hashable:
        """Equal for the same thing said in two languages."""
        return self._commands[0].meaning(understood)

    async def call(self, call: Call) -> str:
        """See `HouseCommands.call`."""
        return await self._commands[0].call(call)

    def answer(self, understood: Understood, result: str = "") -> str:
        """In the language that it was said in."""
        return self._of(understood).answer(understood, result)

    def sorry(self, understood: Understood) -> str:
        return self._of(understood).sorry(understood)

    def _of(self, understood: Understood) -> HouseCommands:
        return next(each for each in self._commands if each.language == understood.language)

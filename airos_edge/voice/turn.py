"""A question on its way: its recording, its words, and the reply that is drafted for it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from airos_edge.errors import AirosError
from airos_edge.voice.ports import Prompt
from airos_edge.voice.reply import Reply
from airos_edge.voice.utterance import Utterance


@dataclass(eq=False, slots=True)
class Turn:
    """Times are the loop's."""

    utterance: Utterance
    claimed: bool = False
    """Whether it is the question that is answered, unless a later one comes."""
    draft: Reply | None = None
    closed_at: float | None = None
    heard_at: float | None = None
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there are words, or none will come: `failure` then says why."""
    decided: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it is answered, or will not be."""
    text: str | None = None
    failure: AirosError | None = None

    def hear(self, text: str | None, failure: AirosError | None = None) -> None:
        self.text, self.failure = text, failure
        self.heard_at = asyncio.get_running_loop().time()
        self.heard.set()

    async def words(self) -> str | None:
        """Waits for them. Raises what kept them from being heard."""
        await self.heard.wait()
        if self.failure is not None:
            raise self.failure
        return self.text


async def with_words(prompt: Prompt, turns: Mapping[str, Turn]) -> Prompt:
    """The prompt with what its questions turned out to say, those of these turns, by their item's id.

    Waits for their words. Raises what kept one of them from being heard.
    """
    items = [
        replace(item, text=await turns[item.id].words()) if item.id in turns else item
        for item in prompt.items
    ]
    return replace(prompt, items=tuple(items))

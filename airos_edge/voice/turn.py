"""A question on its way: its recording, its words, and the reply that is drafted for it."""

import asyncio
from dataclasses import dataclass, field

from airos_edge.errors import AirosError
from airos_edge.voice.ports import Prompt
from airos_edge.voice.reply import Reply
from airos_edge.voice.utterance import Utterance


@dataclass(eq=False, slots=True)
class Turn:
    """A question in the making, and the reply that is drafted for it."""

    utterance: Utterance
    claimed: bool = False
    closed_at: float | None = None
    draft: Reply | None = None
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there are words, or none will come: `failure` then says why."""
    text: str | None = None
    failure: AirosError | None = None

    @property
    def began_ms(self) -> int:
        return self.utterance.start_ms

    async def words(self) -> str | None:
        """Waits for them. Raises what kept them from being heard."""
        await self.heard.wait()
        if self.failure is not None:
            raise self.failure
        return self.text

    async def with_its_words(self, prompt: Prompt) -> Prompt:
        """The prompt as it is, if its question could be heard. Raises what kept it from being so."""
        await self.words()
        return prompt

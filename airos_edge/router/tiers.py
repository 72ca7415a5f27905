"""One of those who may be asked, and asking it once: in time, no further than it has to go."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from airos_edge.errors import EngineError
from airos_edge.router.breaker import Breaker
from airos_edge.voice.flow import Joint, chain
from airos_edge.voice.ports import Act, Call, Done, Place, Prompt, Responder, Text

SENTENCE = re.compile(r"[.!?…。！？؟।\n]")
"""No sentence ends without one of these."""

Part = Text | Call | Done
Parts = AsyncGenerator[Part, None]


@dataclass(frozen=True, slots=True)
class Tier:
    """Somebody who may be asked. `first_token_s`: how long may be waited for the first words. A model may
    be given tools, and may go on with what others have begun; others answer questions by themselves."""

    responder: Responder
    breaker: Breaker
    first_token_s: float | None = None
    is_model: bool = True
    reads_tokens: int | None = None
    """How long what it is asked may be; None: no matter how."""
    sees: bool = False
    """Whether pictures are for it."""

    @property
    def name(self) -> str:
        return self.responder.name


async def completion(tier: Tier, prompt: Prompt, act: Act) -> Parts:
    """What a tier makes of the prompt. One in the cloud is asked after the commit, others before it.

    Of a reply that is spoken, text is held back until a sentence may have ended: who fails before that
    has said nothing. Raises EngineError, whatever the tier raises or does not do.
    """
    parts = _asked(tier, prompt, act)
    async with aclosing(_by_sentence(parts) if prompt.speaking else parts) as parts:
        async for part in parts:
            yield part


async def _asked(tier: Tier, prompt: Prompt, act: Act) -> Parts:
    responder = tier.responder
    with tier.breaker.attempt() as attempt:
        if responder.place is Place.CLOUD:
            await act.committed()
        act.goes(responder.place)
        async with chain(responder.reply(prompt, act), name=tier.name) as parts:
            part: Part | None = await _first(parts, tier)
            attempt.has_answered = True
            while part is not None:
                yield part
                part = None if isinstance(part, Done) else await anext(parts, None)


async def _first(parts: Joint[Part], tier: Tier) -> Part:
    try:
        async with asyncio.timeout(tier.first_token_s):
            return await anext(parts)
    except TimeoutError:
        what = f"did not begin to answer within {tier.first_token_s:g} s"
        raise EngineError(tier.name, what) from None
    except StopAsyncIteration:
        raise EngineError(tier.name, "ended without an answer") from None


async def _by_sentence(parts: Parts) -> Parts:
    """Nobody waits longer for it, as nothing less than a sentence is spoken."""
    held: Text | None = Text("")
    async with aclosing(parts):
        async for part in parts:
            if isinstance(part, Text) and held is not None:
                held = Text(held.text + part.text, part.language or held.language)
                if not SENTENCE.search(held.text):
                    continue
                part, held = held, None
            elif held is not None and held.text:
                yield held
                held = None
            yield part

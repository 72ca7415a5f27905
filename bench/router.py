"""What stands between a question and a model: the router, and the cutting of its answer into sentences."""

import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import aclosing

from airos_edge.engines.sayable import sayable
from airos_edge.router.breaker import Breaker
from airos_edge.router.router import COMMANDS, Router
from airos_edge.router.tiers import Tier
from airos_edge.voice.flow import chain
from airos_edge.voice.history import Item
from airos_edge.voice.ports import ESCALATE, Call, Done, Place, Prompt, Responder, Speaking, Text
from bench.figures import Figure

ROUNDS = 2000
ANSWER = "It is late. The sun has set, e.g. behind the hill. Shall I close the blinds?"


class Free:
    """Answers at once, or passes the question on at once."""

    place = Place.LOCAL

    def __init__(self, name: str, part: Text | Call) -> None:
        self.name = name
        self._part = part

    async def reply(self, prompt: Prompt, act: object) -> AsyncGenerator[Text | Call | Done, None]:
        yield self._part
        yield Done(self.name)


class Act:
    """Nothing is to be waited for."""

    async def __call__(self, call: Call) -> str:
        return ""

    async def committed(self) -> None:
        return

    def goes(self, place: Place) -> None:
        return


async def router(quick: bool) -> list[Figure]:
    """From asking to the first words: a free model behind the router and its commands, and alone."""
    model = Free("fast", Text(ANSWER))
    tiers = {"fast": Tier(model, Breaker("fast"), 10.0)}
    behind = Router(Free(COMMANDS, Call(ESCALATE)), tiers, [COMMANDS, "fast"], "Be brief.")
    prompt = Prompt((Item("item_1", role="user", text="why"),), speaking=Speaking())
    through, alone = list[float](), list[float]()
    for turn in range(-20, ROUNDS // 10 if quick else ROUNDS):
        for responder, values in ((behind, through), (model, alone)):
            took_ms = await _first_words(responder, prompt)
            if turn >= 0:
                values.append(took_ms)
    return [Figure("the router, to the first words", "ms", through, alone, "the model alone", 1)]


async def _first_words(responder: Responder, prompt: Prompt) -> float:
    """As `respond` asks, in milliseconds."""
    began = time.perf_counter()
    async with chain(responder.reply(prompt, Act()), name=responder.name) as parts:
        await anext(parts)
        return (time.perf_counter() - began) * 1000


async def sentences(quick: bool) -> list[Figure]:
    """What an answer costs between its text and its voice, token by token, beside passing it on as it is."""
    tokens = [f"{word} " for word in ANSWER.split()]
    cut, passed = list[float](), list[float]()
    for _ in range(ROUNDS // 10 if quick else ROUNDS):
        cut.append(await _took_ms(sayable, tokens))
        passed.append(await _took_ms(_as_it_is, tokens))
    return [Figure("an answer of 15 words made sayable", "ms", cut, passed, "as it is", 2)]


async def _took_ms(
    stage: Callable[[AsyncIterable[str]], AsyncGenerator[str, None]], tokens: list[str]
) -> float:
    async def source() -> AsyncGenerator[str, None]:
        for token in tokens:
            yield token

    began = time.perf_counter()
    async with aclosing(stage(source())) as made:
        async for _ in made:
            pass
    return (time.perf_counter() - began) * 1000


async def _as_it_is(texts: AsyncIterable[str]) -> AsyncGenerator[str, None]:
    async for text in texts:
        yield text

"""Whatever is done in whatever order, with engines that fail as they like, the laws hold."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from airos_edge.errors import AirosError, EngineUnavailable
from airos_edge.voice import events, flow
from airos_edge.voice.announce import announce
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.floor import Floor, Rank
from airos_edge.voice.flow import Scope
from airos_edge.voice.history import DuplicateItem, Item, UnknownItem
from airos_edge.voice.ports import Call, Done, Prompt, Speaking, Text
from airos_edge.voice.utterance import Judgement
from tests.fakes import At, Do, FakeAsr, FakeResponder, FakeTts, Fault, Said, Step
from tests.room import FakeSpeaker, Room, wake_word

SEEDS = range(150)
ACTIONS = 40
FAULTS = list(Fault)


class Chaos:
    """Draws engines, and then one action after the other."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.room = Room(
            self.rules(),
            Prompt(speaking=self.draw.choice([None, Speaking(), Speaking()])),
            asr=FakeAsr(*[self.said() for _ in range(10)]),
            responder=FakeResponder(lambda prompt: self.script()),
            tts=FakeTts(
                takes_ms=self.draw.choice([0, 300]),
                fault=self.rarely_a_fault(),
                after_words=self.draw.randrange(6),
            ),
        )

    def rarely_a_fault(self) -> Fault | None:
        return self.draw.choice(FAULTS) if self.draw.random() < 0.15 else None

    def rules(self) -> TurnRules:
        return TurnRules(
            detection=self.draw.choice(["speech", "speech", "wake", "push"]),
            interrupt=self.draw.choice(["stop", "duck", "wake", "never"]),
            answer=self.draw.choice(["never", "understood", "understood", "always"]),
            idle_timeout_ms=self.draw.choice([None, None, 1000]),
        )

    def said(self) -> Said:
        judgement = self.draw.choice([None, *Judgement])
        partials = [At(self.draw.randrange(1500), "turn it on", judgement)]
        final = self.rarely_a_fault() or self.draw.choice(["turn it on", "what is this", ""])
        return Said(final, partials, takes_ms=self.draw.choice([0, 100, 3000]))

    def script(self) -> list[Step]:
        steps: list[Step] = [
            self.draw.choice([0, 500, 2000]),
            Text("It is on now. "),
            Do(Call("light")),
            Text("Good night."),
            Call("door"),
            Done("fake", expects=self.draw.choice([(), ("yes", "no")])),
        ]
        fault = self.rarely_a_fault()
        if fault is not None:
            steps.insert(self.draw.randrange(len(steps)), fault)
        return [step for step in steps if self.draw.random() < 0.8]

    async def act(self, scope: Scope) -> None:
        room, session, draw = self.room, self.room.session, self.draw
        texts = [item.id for item in session.history]
        actions: list[Callable[[], object]] = [
            session.commit,
            session.clear,
            lambda: session.open("push", 1000),
            lambda: session.interrupt("client_cancelled"),
            session.respond,
            lambda: session.respond(apart=Floor(FakeSpeaker())),
            lambda: session.add(Item(f"item_{draw.random()}", role="user", text="typed")),
            lambda: session.delete(draw.choice(texts)),
            lambda: session.truncate(draw.choice(texts), draw.randrange(2000)),
            lambda: session.obey(self.rules()),
            lambda: scope.start(
                announce("Dinner!", draw.choice(list(Rank)), room.engines, room.floor, Speaking()),
                "announcing",
            ),
            lambda: setattr(room.lease, "error", EngineUnavailable("asr", "gone")),
            lambda: setattr(room.lease, "error", None),
        ]
        sounds = [
            lambda: room.speak(draw.choice([60, 160, 400, 900])),
            lambda: room.quiet(draw.choice([20, 200, 760, 3000])),
            lambda: room.play(wake_word()),
        ]
        if draw.random() < 0.6:
            await draw.choice(sounds)()
            return
        with suppress(AirosError, DuplicateItem, UnknownItem, IndexError):  # busy, or no such item
            draw.choice(actions)()


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_laws_hold_in_chaos(seed: int) -> None:
    chaos = Chaos(seed)
    room = chaos.room
    async with Scope() as scope, room:
        for _ in range(ACTIONS):
            await chaos.act(scope)
        room.lease.error = None
        room.session.obey(replace(room.session.ear.rules, idle_timeout_ms=None))
        room.session.clear()
        await asyncio.sleep(120)
        room.session.clear()  # a question of ours may have opened the ear for its answer
        await asyncio.sleep(120)
        assert room.session.replies.active is None, "every reply ends"
        asked = {event.item.id for event in room.told.of(events.QuestionEnded)}
        heard = {event.item_id for event in room.told.of(events.Transcribed)}
        failed = {event.item_id for event in room.told.of(events.TranscriptionFailed)}
        assert asked == heard | failed, "every question gets its words, or why it has none"
        assert not room.session.replies.running, "and every draft"
        assert not flow.abandoned
        room.nothing_is_open()

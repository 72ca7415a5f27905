"""The box's own conversation: waits for its wake word, and may be talked over as far as its ears allow."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from airos_edge.errors import EngineUnavailable
from airos_edge.local.hands_free import FORGET_S, HandsFree
from airos_edge.voice import events
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.floor import Floor
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Done, Prompt, Speaking, Text
from airos_edge.voice.session import Session
from tests.fakes import FakeLease, FakeResponder, FakeVad, fake_engines, fake_waking
from tests.room import FakeSpeaker, Tape, silence, speech, wake_word

LONG = "word " * 40
"""Ten seconds of speech."""


class Desk:
    def __init__(self, echo_canceller: bool = False) -> None:
        self.told = Tape()
        self.speaker = FakeSpeaker()
        self.sessions: list[Session] = []
        self.rules = TurnRules()
        self.woken = 0
        self.error: Exception | None = None
        responder = FakeResponder(lambda prompt: [Text(LONG), Done("fake")])
        self._lease = FakeLease(fake_engines(responder=responder))
        self._floor = Floor(self.speaker)
        self.talk = HandsFree(self._open, lambda: self.rules, echo_canceller, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    def _open(self, tell: Callable[[Event], None], rules: TurnRules) -> Session:
        if self.error is not None:
            raise self.error

        def tell_all(event: Event) -> None:
            self.told(event)
            tell(event)

        ear = Ear(rules, FakeVad(), fake_waking())
        manner = Prompt(speaking=Speaking())
        name = f"sess_{len(self.sessions) + 1}"
        self.sessions.append(Session(name, ear, self._floor, self._lease.borrow, tell_all, manner))
        return self.sessions[-1]

    async def hear(self, *sounds: list[AudioChunk]) -> None:
        for chunk in (chunk for sound in sounds for chunk in sound):
            await asyncio.sleep(chunk.ms / 1000)
            self.talk.feed(chunk)

    async def ask(self) -> None:
        """Until the answer is being heard."""
        asked = len(self.told.of(events.ItemStarted))
        await self.hear(wake_word(), speech(600), silence(1000))
        await self.told.wait_for(events.ItemStarted, asked + 1)

    @property
    def ended(self) -> list[str]:
        return [event.outcome.status for event in self.told.of(events.ReplyEnded)]


@asynccontextmanager
async def at(desk: Desk) -> AsyncIterator[Desk]:
    async with Scope() as scope:
        scope.start(desk.talk.keep(), "hands-free")
        await asyncio.sleep(0)
        yield desk


async def test_it_hears_nothing_before_its_wake_word_and_then_answers() -> None:
    async with at(Desk()) as desk:
        await desk.hear(speech(2000), silence(1000))
        assert desk.told.events == []
        await desk.ask()
        await desk.told.wait_for(events.ReplyEnded)
    assert desk.woken == 1
    assert desk.ended == ["completed"]
    assert desk.speaker.text == LONG


async def test_without_an_echo_canceller_only_the_wake_word_ends_an_answer() -> None:
    async with at(Desk()) as desk:
        await desk.ask()
        await desk.hear(speech(2000), silence(500))
        assert desk.ended == []
        await desk.hear(wake_word())
        assert desk.ended == ["cancelled"]
        await desk.hear(speech(600), silence(1000))
        await desk.told.wait_for(events.ReplyEnded, 2)
    assert desk.woken == 2


async def test_with_an_echo_canceller_speech_ends_an_answer_and_is_heard() -> None:
    async with at(Desk(echo_canceller=True)) as desk:
        await desk.ask()
        await desk.hear(speech(800))
        assert desk.ended == ["cancelled"]
        await desk.hear(silence(1000))
        await desk.told.wait_for(events.ReplyEnded, 2)
        assert [event.opened_by for event in desk.told.of(events.SpeechStarted)] == [
            "wake",
            "speech",
        ]
        await desk.hear(speech(2000), silence(1000))
        assert len(desk.told.of(events.SpeechStarted)) == 2, "and after it, only the wake word"


async def test_with_an_echo_canceller_the_boxs_rule_says_what_speech_does() -> None:
    desk = Desk(echo_canceller=True)
    desk.rules = TurnRules(interrupt="never")
    async with at(desk):
        await desk.ask()
        await desk.hear(speech(800), silence(1000))
        assert desk.ended == []


async def test_muted_in_a_question_what_was_heard_is_thrown_away() -> None:
    async with at(Desk()) as desk:
        await desk.hear(wake_word(), speech(600))
        desk.talk.deafen()
        await asyncio.sleep(10)
        (stopped,) = desk.told.of(events.SpeechStopped)
        assert stopped.reason.value == "discarded"
        assert desk.told.of(events.ReplyStarted) == []


async def test_after_minutes_without_a_word_what_was_said_is_forgotten() -> None:
    async with at(Desk()) as desk:
        await desk.ask()
        await desk.told.wait_for(events.ReplyEnded)
        await asyncio.sleep(FORGET_S - 5)
        assert len(desk.sessions) == 1
        await asyncio.sleep(10)
        assert len(desk.sessions) == 2
        await asyncio.sleep(10 * FORGET_S)
        assert len(desk.sessions) == 2, "there is nothing to forget"
        await desk.ask()
    assert [event.session_id for event in desk.told.of(events.Woke)] == ["sess_1", "sess_2"]


async def test_new_parts_are_used_as_soon_as_the_answer_has_ended() -> None:
    async with at(Desk()) as desk:
        await desk.ask()
        desk.rules = TurnRules(longest_s=7)
        desk.talk.renew()
        await asyncio.sleep(5)
        assert len(desk.sessions) == 1
        await desk.told.wait_for(events.ReplyEnded)
        await asyncio.sleep(2)
        assert desk.ended == ["completed"]
        assert [one.ear.rules.longest_s for one in desk.sessions] == [60, 7]


async def test_without_wake_words_it_waits_for_other_parts() -> None:
    desk = Desk()
    desk.error = EngineUnavailable("wake", "there is no model")
    async with at(desk):
        await desk.hear(wake_word(), speech(600))
        desk.error = None
        desk.talk.renew()
        await asyncio.sleep(1)
        await desk.ask()
    assert desk.woken == 1

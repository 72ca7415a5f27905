"""Every effect of a turn comes after its commit: a draft discarded anywhere before it has changed nothing."""

import asyncio
from collections.abc import Callable

import pytest

from airos_edge.virtual_time import VirtualTimeLoop
from airos_edge.voice import events, flow
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Call, Done, Place, Prompt, Speaking, Text
from airos_edge.voice.utterance import Judgement
from tests.fakes import At, Do, FakeAsr, FakeResponder, FakeTools, FakeTts, Said
from tests.room import Room

ASR = Said("turn it on", [At(300, "turn it on", Judgement.COMPLETE)], takes_ms=50)
SCRIPT = (
    10,
    Text("One moment please. "),
    10,
    Text("I am at it. "),
    Do(Call("light")),
    Text("It is on."),
    Call("door"),
    Done("fake"),
)

MORE = Item("item_more", role="user", text="in the kitchen")
KINDS = ["spoken", "written", "by a voice in the cloud"]
REPLIES = (events.ReplyStarted, events.ItemStarted, events.TextSaid, events.ReplyEnded)


class SteppingLoop(VirtualTimeLoop):
    """Counts its turns, and may do something before one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.step = 0
        self.at = -1
        self.then: Callable[[], object] = lambda: None

    def _run_once(self) -> None:
        self.step += 1
        if self.step == self.at:
            self.then()
        super()._run_once()  # type: ignore[misc]


class Turn:
    """A question with a draft, in a world of its own."""

    def __init__(self, kind: str) -> None:
        self.began = self.committed = 0
        self.tools = FakeTools()
        self.responder = FakeResponder(lambda prompt: SCRIPT)
        speaking = None if kind == "written" else Speaking()
        tts = FakeTts(takes_ms=10)
        tts.place = Place.CLOUD if kind == "by a voice in the cloud" else Place.LOCAL
        self.room = Room(
            TurnRules(),
            Prompt(speaking=speaking, reach=Place.CLOUD),
            asr=FakeAsr(ASR),
            responder=self.responder,
            tts=tts,
            tools=self.tools,
        )

    def run(self, at: int = -1, discard: str = "") -> None:
        with asyncio.Runner(loop_factory=SteppingLoop) as runner:
            loop = runner.get_loop()
            assert isinstance(loop, SteppingLoop)
            work = loop.create_task(self._converse(loop))
            loop.at = at
            discards: dict[str, Callable[[], object]] = {
                "": lambda: None,
                "cleared": self.room.session.clear,
                "left": work.cancel,
                "superseded": lambda: self.room.session.add(MORE),
            }
            loop.then = discards[discard]
            loop.run_until_complete(asyncio.wait([work]))
            assert work.cancelled() == (discard == "left")
            loop.run_until_complete(asyncio.sleep(3600))
            assert not asyncio.all_tasks(loop), "an hour later"

    async def _converse(self, loop: SteppingLoop) -> None:
        def tell(event: events.Event) -> None:
            if isinstance(event, events.ReplyStarted):
                self.committed = loop.step
            self.room._tell(event)

        self.room.session._face_tell = tell
        async with self.room as room:
            await room.speak(340)
            self.began = loop.step
            assert self.responder.running == 1
            await room.speak(140)
            await room.quiet(240)
            await asyncio.sleep(5)

    @property
    def was_asked(self) -> bool:
        """Whether the recording had become a question."""
        return bool(self.room.told.of(events.QuestionEnded))

    def changed_nothing(self) -> None:
        """But that the question, if it was asked, is known."""
        assert not [event for event in self.room.told if isinstance(event, REPLIES)]
        assert len(self.room.session.history) == self.was_asked
        assert self.room.speaker.mouths == []
        assert self.room.floor._turns == []
        assert self.tools.calls == []
        tts = self.room.engines.tts
        assert isinstance(tts, FakeTts)
        assert tts.place is not Place.CLOUD or tts.opened == 0
        self.room.nothing_is_open()
        assert not flow.abandoned

    def answered_once(self) -> None:
        assert [ended.outcome.status for ended in self.room.told.of(events.ReplyEnded)] == [
            "completed"
        ]
        assert self.tools.calls == [Call("light")]
        assert len(self.room.speaker.mouths) == (self.room.session.manner.speaking is not None)
        assert len(self.room.told.of(events.ItemStarted)) == 2, "the message and the call"


def usual(kind: str) -> Turn:
    """A turn that nothing happens to: its draft is committed, many steps after it began."""
    turn = Turn(kind)
    turn.run()
    turn.answered_once()
    assert turn.responder.opened == 1
    assert turn.committed > turn.began + 40
    return turn


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("discard", ["cleared", "left"])
def test_a_draft_discarded_at_any_await_has_changed_nothing(kind: str, discard: str) -> None:
    whole = usual(kind)
    for step in range(whole.began, whole.committed):
        turn = Turn(kind)
        turn.run(step, discard)
        if discard == "cleared" and turn.was_asked:
            break  # from here on there is no recording that could be thrown away
        turn.changed_nothing()


@pytest.mark.parametrize("kind", KINDS)
def test_a_draft_superseded_at_any_await_is_answered_once(kind: str) -> None:
    whole = usual(kind)
    for step in range(whole.began, whole.committed):
        turn = Turn(kind)
        turn.run(step, "superseded")
        turn.answered_once()
        assert turn.responder.running == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_left_at_any_await_at_all_leaves_nothing_behind(kind: str) -> None:
    whole = usual(kind)
    for step in range(1, whole.began + 1):
        turn = Turn(kind)
        turn.run(step, "left")
        turn.changed_nothing()

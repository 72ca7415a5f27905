"""What the box is doing, by the events of its conversations."""

from airos_edge.voice import events
from airos_edge.voice.phase import Phases
from tests.fakes import FakeAsr
from tests.room import Room
from tests.voice.test_scenarios_barge_in import LONG, room_where


def phases_of(room: Room) -> list[str]:
    found: list[str] = []

    def note(event: events.Event) -> None:
        assert isinstance(event, events.PhaseChanged)
        found.append(event.phase)

    phases = Phases(note)
    for event in room.told:
        phases.follow(event)
    return found


async def test_a_question_and_its_answer() -> None:
    async with Room(asr=FakeAsr("what time is it")) as room:
        await room.ask()
        await room.told.wait_for(events.ReplyEnded)
    assert phases_of(room) == ["listening", "processing", "responding", "idle"]


async def test_who_talks_over_an_answer_is_listened_to() -> None:
    async with room_where(LONG) as room:
        await room.ask()
        await room.quiet(720)
        await room.ask()
        await room.answered(2)
    answered = ["listening", "processing", "responding"]
    assert phases_of(room) == [*answered, *answered, "idle"]


async def test_what_is_not_answered_ends_in_idle() -> None:
    async with Room(asr=FakeAsr("")) as room:
        await room.ask()
        await room.told.wait_for(events.QuestionDropped)
    assert phases_of(room) == ["listening", "processing", "idle"]


async def test_a_conversation_that_ends_in_a_question_leaves_nothing_behind() -> None:
    async with Room(asr=FakeAsr("hello")) as room:
        await room.speak(600)
    assert phases_of(room) == ["listening", "idle"]


def test_of_two_conversations_the_busier_one_counts() -> None:
    found: list[events.Event] = []
    phases = Phases(found.append)
    heard = events.SpeechStarted(session_id="a", item_id="1", opened_by="speech", start_ms=0)
    phases.follow(heard)
    phases.follow(events.SessionEnded(session_id="b"))
    assert phases.phase == "listening"
    phases.follow(events.SessionEnded(session_id="a"))
    assert found == [events.PhaseChanged(phase="listening"), events.PhaseChanged(phase="idle")]

"""One question to one answer: what comes back, and that it always does."""

import asyncio
import io
import wave
from collections.abc import Callable
from typing import Any

import pytest

from airos_edge.errors import EngineUnavailable, RecordingError
from airos_edge.http.ask import Answer, ask
from airos_edge.http.tape import Tape
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event, Outcome
from airos_edge.voice.floor import Floor
from airos_edge.voice.ports import (
    Call,
    Done,
    OpenMouth,
    Place,
    Prompt,
    Says,
    Speaking,
    Speech,
    Text,
)
from airos_edge.voice.session import Session
from tests.fakes import (
    Do,
    FakeAsr,
    FakeLease,
    FakeResponder,
    FakeTools,
    FakeTts,
    FakeVad,
    Fault,
    Said,
    fake_engines,
)

SECOND = bytes(32_000)
PUSH = TurnRules(detection="push")


class Box:
    """Opens sessions with scripted engines, and counts those that are open."""

    def __init__(self, rules: TurnRules = PUSH, **parts: Any) -> None:
        self.engines = fake_engines(**parts)
        self.lease = FakeLease(self.engines)
        self.rules = rules

    def open(self, tell: Callable[[Event], None], open_mouth: OpenMouth) -> Session:
        return Session(
            "sess_1",
            Ear(self.rules, FakeVad()),
            Floor(open_mouth),
            self.lease.borrow,
            tell,
            Prompt(speaking=Speaking()),
        )

    async def ask(self, question: str | bytes) -> Answer:
        answer = await ask(question, self.open)
        assert self.lease.running == 0
        return answer


async def test_a_text_is_answered_in_text_and_speech() -> None:
    answer = await Box().ask("what time is it")
    assert answer.transcript == "what time is it"
    assert answer.outcome.text == "You said what time is it."
    with wave.open(io.BytesIO(answer.wav)) as speech:
        heard = (speech.getnchannels(), speech.getsampwidth(), speech.getframerate())
        assert heard == (1, 2, 16_000)
        assert speech.getnframes() == len(answer.outcome.text) * 50 * 16


async def test_a_recording_is_understood_and_answered() -> None:
    box = Box(asr=FakeAsr("turn on the light"))
    answer = await box.ask(SECOND)
    assert answer.transcript == "turn on the light"
    assert answer.outcome.text == "You said turn on the light."
    assert list(answer.outcome.stages_ms) == ["recognise", "respond", "speak", "done"]


async def test_an_answer_says_all_that_a_program_wants_to_know() -> None:
    done = Done("lamp", intent="HassTurnOn", slots={"name": "light"})
    lamp = FakeResponder(lambda prompt: [Text("Done."), done])
    lamp.place = Place.EDGE
    box = Box(responder=lamp)
    answer = (await box.ask("turn on the light")).as_json()
    stages = answer.pop("stages_ms")
    assert set(stages) == {"respond", "speak", "done"}
    assert answer == {
        "transcript": "turn on the light",
        "intent": "HassTurnOn",
        "slots": {"name": "light"},
        "answer": "Done.",
        "tier": "lamp",
        "left": "lan",
        "status": "completed",
        "error": None,
    }


async def test_the_speech_of_an_answer_is_made_as_fast_as_it_can_be() -> None:
    before = asyncio.get_running_loop().time()
    answer = await Box(tts=FakeTts(ms_per_character=1000)).ask("a long answer, please")
    assert len(answer.wav) > 30 * 32_000
    assert asyncio.get_running_loop().time() - before < 1


async def test_without_a_voice_there_is_an_answer_and_no_speech() -> None:
    answer = await Box(tts=None).ask("hello")
    assert answer.wav == b""
    assert "voice" in str(answer.outcome.error)


async def test_speech_that_is_not_understood_is_answered_too() -> None:
    answer = await Box(asr=FakeAsr("")).ask(SECOND)
    assert answer.transcript == ""
    assert answer.outcome.status == "completed"


@pytest.mark.parametrize("fault", [Fault.RAISE, Fault.CRASH, Fault.STALL, Fault.FOREIGN_CANCEL])
@pytest.mark.parametrize("part", ["asr", "responder", "tts"])
async def test_whatever_fails_there_is_an_answer_that_says_so(part: str, fault: Fault) -> None:
    broken: dict[str, Any] = {
        "asr": FakeAsr(Said(fault)),
        "responder": FakeResponder(lambda prompt: [fault]),
        "tts": FakeTts(fault=fault),
    }
    async with asyncio.timeout(60):
        answer = await Box(**{part: broken[part]}).ask(SECOND)
    assert answer.outcome.status == "failed"
    assert answer.outcome.error


async def test_with_no_recogniser_a_recording_is_answered_with_why() -> None:
    answer = await Box(asr=None).ask(SECOND)
    assert answer.outcome.status == "failed"
    assert "recogniser" in str(answer.outcome.error)


async def test_engines_that_cannot_be_borrowed_are_an_answer_that_failed() -> None:
    box = Box()
    box.lease.error = EngineUnavailable("tts", "gone")
    assert "gone" in str((await box.ask("hello")).outcome.error)


async def test_an_answer_that_ends_at_a_call_is_given_as_it_is() -> None:
    script = [Text("I need help."), Call("ask_a_human", call_id="1"), Done("fake")]
    answer = await Box(responder=FakeResponder(lambda prompt: script)).ask("hello")
    assert answer.outcome.text == "I need help."


@pytest.mark.parametrize(
    ("pcm", "why"),
    [(b"", "no sound"), (SECOND * 3, r"3\.0 s long, a question 2 s \(turn\.longest_s\)")],
)
async def test_a_recording_that_is_no_question_is_refused_and_nobody_is_asked(
    pcm: bytes, why: str
) -> None:
    box = Box(TurnRules(detection="push", longest_s=2))
    with pytest.raises(RecordingError, match=why):
        await box.ask(pcm)
    assert box.engines.responder.prompts == []  # type: ignore[attr-defined]


async def test_the_longest_question_is_one_question() -> None:
    box = Box(TurnRules(detection="push", longest_s=2), asr=FakeAsr("hello"))
    assert (await box.ask(SECOND * 2)).transcript == "hello"
    assert len(box.engines.responder.prompts) == 1  # type: ignore[attr-defined]


async def test_cancelled_it_ends_the_conversation_and_gives_its_engines_back() -> None:
    box = Box(asr=FakeAsr(Said("hello", takes_ms=5000)))
    asking = asyncio.ensure_future(ask(SECOND, box.open))
    await asyncio.sleep(1)
    assert box.lease.running > 0
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert box.lease.running == 0


async def test_what_an_answer_does_is_done_before_it_is_given() -> None:
    tools = FakeTools(takes_ms=500)
    script = [Do(Call("light_on")), Text("Done."), Done("fake")]
    await Box(responder=FakeResponder(lambda prompt: script), tools=tools).ask("light on")
    assert [call.name for call in tools.calls] == ["light_on"]


async def test_a_tape_keeps_what_is_said_and_has_heard_all_of_it_at_once() -> None:
    tape = Tape()
    mouth = tape.open(Says("resp_1", "item_1"))
    assert mouth.hush() == 0
    await mouth.play(Speech(AudioChunk(bytes(44_100), 22_050), "hello"))
    await mouth.play(Speech(AudioChunk(b"\1\2" * 11_025, 22_050)))
    mouth.duck(15)
    assert (await mouth.drain(), mouth.hush()) == (1500, 1500)
    assert (len(tape.pcm), tape.rate_hz) == (66_150, 22_050)
    assert tape.pcm.endswith(b"\1\2")


def test_an_answer_without_stages_is_an_answer() -> None:
    assert Answer("", Outcome("failed", error="broke"), b"").as_json()["stages_ms"] == {}

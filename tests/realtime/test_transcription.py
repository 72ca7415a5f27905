"""What was said, in writing: while it is said, in a conversation and in a session that does nothing else."""

import pytest

from airos_edge.realtime.configuration import new_configuration
from airos_edge.voice.ports import Hints
from tests.fakes import At, FakeAsr, Fault, Said
from tests.realtime.client import Client

GROWING = Said(
    "turn on the lamp",
    [At(200, "turn"), At(300, "turn on"), At(400, "turn on a"), At(500, "turn on the lamp")],
)
DELTA = "conversation.item.input_audio_transcription.delta"
COMPLETED = "conversation.item.input_audio_transcription.completed"
FAILED = "conversation.item.input_audio_transcription.failed"
TRANSCRIBED = {"input": {"transcription": {"model": "whisper-1"}}}


async def test_words_come_while_they_are_said_and_join_to_the_transcript() -> None:
    async with Client(asr=FakeAsr(GROWING)) as client:
        client.configure(audio=TRANSCRIBED)
        await client.ask()
        completed = await client.until(COMPLETED)
        item_id = client.of("input_audio_buffer.speech_started")[0]["item_id"]
        await client.until("response.done")
    types = [event["type"] for event in client.events]
    assert types.index(DELTA) < types.index("input_audio_buffer.speech_stopped")
    assert [event["delta"] for event in client.of(DELTA)] == ["turn", " on", " the lamp"]
    assert {event["item_id"] for event in client.of(DELTA)} == {item_id}
    assert (completed["item_id"], completed["transcript"]) == (item_id, "turn on the lamp")
    assert completed["usage"]["type"] == "duration"
    assert completed["usage"]["seconds"] == pytest.approx(1.1, abs=0.15)


async def test_what_turned_out_otherwise_is_in_the_transcript_only() -> None:
    said = Said("turn off", [At(200, "turn on"), At(300, "turn on"), At(400, "turn off")])
    async with Client(asr=FakeAsr(said)) as client:
        client.configure(audio=TRANSCRIBED)
        await client.ask()
        completed = await client.until(COMPLETED)
        assert [event["delta"] for event in client.of(DELTA)] == ["turn on"]
        assert completed["transcript"] == "turn off"


async def test_without_transcription_nobody_is_shown_a_word() -> None:
    async with Client(asr=FakeAsr(GROWING)) as client:
        await client.ask()
        await client.until("response.done")
        assert not [event for event in client.events if "transcription" in event["type"]]


async def test_the_recogniser_is_told_the_language() -> None:
    asr = FakeAsr("licht an")
    async with Client(asr=asr) as client:
        transcription = {"model": "whisper-1", "language": "de"}
        client.configure(audio={"input": {"transcription": transcription}})
        await client.ask()
        await client.until("response.done")
    assert asr.hints == [Hints("de")]


# ---- sessions that do nothing else --------------------------------------------------------------


async def test_a_transcription_session_answers_nothing() -> None:
    async with Client("transcription", asr=FakeAsr("one", "two")) as client:
        created = client.of("session.created")[0]["session"]
        assert created["object"] == "realtime.transcription_session"
        await client.ask()
        await client.until(COMPLETED)
        await client.ask()
        await client.until(COMPLETED, 2)
        await client.play(3000, 0)
        refused = client.send("response.create")
        assert refused["error"]["code"] == "invalid_event"
    assert not [event for event in client.events if event["type"].startswith("response.")]
    assert [event["transcript"] for event in client.of(COMPLETED)] == ["one", "two"]


async def test_a_transcription_session_is_committed_by_hand_as_often_as_one_likes() -> None:
    words = ["one", Said("two", takes_ms=500), "three", Said(Fault.RAISE)]
    async with Client("transcription", asr=FakeAsr(*words)) as client:
        client.send(
            "session.update",
            session={"type": "transcription", "audio": {"input": {"turn_detection": None}}},
        )
        for _ in range(4):
            await client.play(300)
            client.send("input_audio_buffer.commit")
        failed = await client.until(FAILED)
        await client.until(COMPLETED, 3)
    items = [event["item_id"] for event in client.of("input_audio_buffer.committed")]
    told = {event["item_id"]: event["transcript"] for event in client.of(COMPLETED)}
    assert [told.get(item_id) for item_id in items] == ["one", "two", "three", None]
    assert failed["item_id"] == items[3]
    assert failed["error"]["message"]
    assert not [event for event in client.events if event["type"].startswith("response.")]


async def test_a_realtime_session_that_has_not_spoken_becomes_one_that_transcribes() -> None:
    async with Client(asr=FakeAsr("one")) as client:
        told = client.send("session.update", session={"type": "transcription"})
        assert told["session"]["object"] == "realtime.transcription_session"
        await client.ask()
        await client.until(COMPLETED)
        await client.play(3000, 0)
        assert not client.of("response.created")
        refused = client.configure(instructions="speak")
    assert refused["error"]["message"] == (
        "Passing a realtime session update event to a transcription session is not allowed."
    )


async def test_a_realtime_session_that_has_spoken_stays_one() -> None:
    async with Client() as client:
        client.add("hello")
        client.send("response.create")
        await client.until("response.done")
        refused = client.send("session.update", session={"type": "transcription"})
    assert refused["error"]["message"] == (
        "Passing a transcription session update event to a realtime session is not allowed."
    )


async def test_a_realtime_session_may_be_used_for_its_transcripts_alone() -> None:
    async with Client(asr=FakeAsr("one", "two")) as client:
        client.configure(audio={"input": {**TRANSCRIBED["input"], "turn_detection": None}})
        for _ in range(2):
            await client.play(300)
            client.send("input_audio_buffer.commit")
        await client.until(COMPLETED, 2)
        await client.play(1000, 0)
    assert not client.of("response.created")


async def test_a_model_that_only_transcribes_opens_a_session_that_does() -> None:
    async with Client(asr=FakeAsr("one"), model="whisper-1") as client:
        await client.ask()
        assert (await client.until(COMPLETED))["transcript"] == "one"
        await client.play(3000, 0)
        assert not client.of("response.created")
        client.send("response.create")
        await client.until("response.done")


def test_a_transcription_session_is_of_the_model_that_it_was_opened_with() -> None:
    opened = new_configuration("sess_1", "whisper-1", "transcription", 1)
    assert opened["audio"]["input"]["transcription"]["model"] == "whisper-1"

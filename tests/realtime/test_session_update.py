"""`session.update` in a conversation that goes on: formats, voices, turns."""

import base64

import pytest

from airos_edge.realtime.formats import Wire, wire_of
from airos_edge.voice.ports import Done, Prompt, Text
from tests.fakes import FakeAsr, FakeResponder, FakeTts, Said
from tests.realtime.client import Client, Json
from tests.room import LOUD

LONG = "One two three four five six seven eight nine ten."
"""2500 ms of speech."""
TRANSCRIBED = {"model": "whisper-1"}


def says(text: str) -> FakeResponder:
    return FakeResponder(lambda prompt: [Text(text), Done("fake")])


def sound_in(client: Client, response: int = 0) -> bytes:
    """All that was said in that response."""
    reply_id = client.of("response.created")[response]["response"]["id"]
    deltas = client.of("response.output_audio.delta")
    parts = [base64.b64decode(e["delta"]) for e in deltas if e["response_id"] == reply_id]
    return b"".join(parts)


def code_of(event: Json) -> str:
    assert event["type"] == "error", event
    return str(event["error"]["code"])


# ---- formats ------------------------------------------------------------------------------------

FORMATS = [
    {"type": "audio/pcm", "rate": 24000},
    {"type": "audio/pcm", "rate": 16000},
    {"type": "audio/pcmu"},
    {"type": "audio/pcma"},
]


@pytest.mark.parametrize("given", FORMATS)
async def test_a_spoken_question_is_understood_and_answered_in_every_format(given: Json) -> None:
    wire = wire_of(given)
    async with Client(responder=says("Noon.")) as client:
        client.configure(audio={"input": {"format": given}, "output": {"format": given}})
        client.wire = wire
        await client.ask()
        done = await client.until("response.done")
        started = client.of("input_audio_buffer.speech_started")[0]
        stopped = client.of("input_audio_buffer.speech_stopped")[0]
    assert started["audio_start_ms"] == pytest.approx(0, abs=40)
    assert stopped["audio_end_ms"] == pytest.approx(600, abs=40)
    assert done["response"]["audio"]["output"]["format"] == given
    seconds = len(sound_in(client)) / wire.sample_bytes / wire.rate_hz
    assert seconds == pytest.approx(0.25, abs=0.002)


@pytest.mark.parametrize("given", FORMATS)
async def test_what_was_heard_is_right_in_every_format(given: Json) -> None:
    async with Client(asr=FakeAsr("first", "second"), responder=says(LONG)) as client:
        client.configure(audio={"output": {"format": given}})
        client.add("count")
        client.send("response.create")
        delta = await client.until("response.output_audio.delta")
        await client.play(620, 0)
        client.send("response.cancel")
        item = client.send("conversation.item.retrieve", item_id=delta["item_id"])["item"]
    assert item["content"][0]["transcript"] == "One two"


async def test_a_response_may_have_a_format_of_its_own() -> None:
    async with Client(responder=says("Noon.")) as client:
        client.add("what time is it")
        output = {"format": {"type": "audio/pcmu"}, "voice": "cedar"}
        client.send("response.create", response={"audio": {"output": output}})
        own = await client.until("response.done")
        client.send("response.create")
        usual = await client.until("response.done", 2)
    assert own["response"]["audio"]["output"] == output
    assert usual["response"]["audio"]["output"]["voice"] == "airos"
    assert len(sound_in(client, 0)) == pytest.approx(8 * 250, abs=8)
    assert len(sound_in(client, 1)) == pytest.approx(48 * 250, abs=48)


async def test_another_format_in_the_middle_begins_another_stream() -> None:
    async with Client() as client:
        await client.play(300)
        client.configure(audio={"input": {"format": {"type": "audio/pcma"}}})
        client.wire = Wire(8000, "ALAW")
        await client.play(300)
        await client.play(700, 0)
        await client.until("response.done")
        stopped = client.of("input_audio_buffer.speech_stopped")
        assert len(stopped) == 1
        assert stopped[0]["audio_end_ms"] == pytest.approx(600, abs=40)


async def test_exactly_as_much_as_a_commit_needs_is_enough_on_a_telephone() -> None:
    async with Client() as client:
        client.configure(
            audio={"input": {"format": {"type": "audio/pcmu"}, "turn_detection": None}}
        )
        client.wire = Wire(8000, "ULAW")
        await client.play(100)
        client.send("input_audio_buffer.commit")
        assert client.of("input_audio_buffer.committed")


# ---- voices -------------------------------------------------------------------------------------


async def test_a_voice_of_the_box_speaks_when_it_is_asked_for() -> None:
    tts = FakeTts()
    async with Client(tts=tts, voices={"en-us": "en-us", "de": "de"}) as client:
        client.configure(audio={"output": {"voice": "marin"}})
        assert code_of(client.configure(audio={"output": {"voice": "mairn"}})) == "invalid_value"
        client.add("hello")
        client.send("response.create")
        await client.until("response.done")
        client.send("response.create", response={"audio": {"output": {"voice": "de"}}})
        await client.until("response.done", 2)
    assert [how.voice for how in tts.asked] == [None, "de"]


async def test_the_voice_stays_once_the_assistant_has_spoken() -> None:
    async with Client() as client:
        client.configure(audio={"output": {"voice": "marin"}})
        client.add("hello")
        client.send("response.create")
        await client.until("response.done")
        other = {"output": {"voice": "cedar"}}
        refused = client.configure(instructions="be brief", audio=other)
        assert code_of(refused) == "cannot_update_voice"
        assert refused["error"]["message"] == (
            "Cannot update a conversation's voice if assistant audio is present."
        )
        same = client.configure(audio={"output": {"voice": "marin"}})
        assert same["session"]["instructions"] == "", "the whole update was refused"
        client.send("conversation.item.delete", item_id=client.session.history.last_id())
        assert client.configure(audio=other)["session"]["audio"]["output"]["voice"] == "cedar"


async def test_speed_is_the_next_replys() -> None:
    tts = FakeTts()
    async with Client(tts=tts) as client:
        client.configure(audio={"output": {"speed": 1.5}})
        client.add("hello")
        client.send("response.create")
        await client.until("response.done")
    assert [how.speed for how in tts.asked] == [1.5]


# ---- turns --------------------------------------------------------------------------------------


async def test_with_vad_events_only_speech_is_committed_and_nothing_else_happens() -> None:
    async with Client(responder=says(LONG)) as client:
        only = {"type": "server_vad", "create_response": False, "interrupt_response": False}
        client.configure(audio={"input": {"turn_detection": only}})
        client.add("count")
        client.send("response.create")
        await client.until("response.output_audio.delta")
        await client.ask()
        await client.until("input_audio_buffer.committed")
        done = await client.until("response.done")
        await client.play(3000, 0)
    assert done["response"]["status"] == "completed"
    assert len(client.of("response.created")) == 1


async def test_without_create_response_speech_still_interrupts() -> None:
    async with Client(responder=says(LONG)) as client:
        client.configure(
            audio={"input": {"turn_detection": {"type": "server_vad", "create_response": False}}}
        )
        client.add("count")
        client.send("response.create")
        await client.until("response.output_audio.delta")
        await client.ask()
        done = await client.until("response.done")
        await client.play(3000, 0)
    assert done["response"]["status_details"]["reason"] == "turn_detected"
    assert len(client.of("response.created")) == 1


async def test_who_takes_over_in_the_middle_of_speech_commits_it() -> None:
    async with Client() as client:
        await client.play(400)
        client.configure(audio={"input": {"turn_detection": None}})
        await client.play(400)
        await client.play(2000, 0)
        assert not client.of("input_audio_buffer.committed")
        client.send("input_audio_buffer.commit")
        await client.play(1000, 0)
        client.send("response.create")
        done = await client.until("response.done")
        started = client.of("input_audio_buffer.speech_started")
        stopped = client.of("input_audio_buffer.speech_stopped")
        committed = client.of("input_audio_buffer.committed")
    assert [event["item_id"] for event in (*started, *stopped, *committed)] == (
        3 * [started[0]["item_id"]]
    )
    assert done["response"]["output"][0]["content"][0]["transcript"] == "You said hello."


async def test_who_hands_over_in_the_middle_of_speech_is_heard_out() -> None:
    async with Client() as client:
        client.configure(audio={"input": {"turn_detection": None}})
        await client.play(1000, 0)
        await client.play(400)
        client.configure(audio={"input": {"turn_detection": {"type": "server_vad"}}})
        await client.play(400)
        await client.play(700, 0)
        await client.until("response.done")
        started = client.of("input_audio_buffer.speech_started")[0]
        committed = client.of("input_audio_buffer.committed")
    assert started["audio_start_ms"] == pytest.approx(1000 - 300, abs=40)
    assert [event["item_id"] for event in committed] == [started["item_id"]]


async def test_a_silent_client_is_spoken_to_as_openai_does_it() -> None:
    def script(prompt: Prompt) -> list[Text | Done]:
        return [Text("Hi." if prompt.question else "Still there?"), Done("fake")]

    async with Client(asr=FakeAsr(Said("hello")), responder=FakeResponder(script)) as client:
        detection = {"type": "server_vad", "idle_timeout_ms": 5000}
        client.configure(
            audio={"input": {"turn_detection": detection, "transcription": TRANSCRIBED}}
        )
        await client.ask()
        await client.until("response.done")
        before = len(client.events)
        await client.play(5500, 0)
        done = await client.until("response.done", 2)
    types = [event["type"] for event in client.events[before:]]
    begin = types.index("input_audio_buffer.timeout_triggered")
    assert types[begin : begin + 8] == [
        "input_audio_buffer.timeout_triggered",
        "conversation.item.added",
        "conversation.item.done",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "conversation.item.input_audio_transcription.completed",
    ]
    timed_out, system, _, committed, question, *_, completed = client.events[before + begin :][:8]
    assert timed_out["audio_end_ms"] - timed_out["audio_start_ms"] == pytest.approx(5000, abs=40)
    assert timed_out["item_id"] == committed["item_id"] == question["item"]["id"]
    assert system["item"]["role"] == "system"
    assert committed["previous_item_id"] == system["item"]["id"]
    assert question["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert (completed["transcript"], completed["usage"]["seconds"]) == ("", 0)
    assert done["response"]["output"][0]["content"][0]["transcript"] == "Still there?"


# ---- a box that lacks something -----------------------------------------------------------------


async def test_a_deaf_box_says_so_once_and_hears_what_is_committed() -> None:
    async with Client() as client:
        client.session.ear.deaf = "silero lacks onnxruntime"
        await client.play(300)
        (told,) = client.of("error")
        assert told["error"]["type"] == "server_error"
        assert "silero lacks onnxruntime" in told["error"]["message"]
        assert "turn_detection" in told["error"]["message"]
        client.configure(audio={"input": {"turn_detection": None}})
        await client.play(300)
        client.send("input_audio_buffer.commit")
        assert client.of("input_audio_buffer.committed")
        assert len(client.of("error")) == 1


async def test_a_deaf_box_complains_to_nobody_who_commits() -> None:
    async with Client() as client:
        client.session.ear.deaf = "silero lacks onnxruntime"
        client.configure(audio={"input": {"turn_detection": None}})
        await client.play(300, LOUD)
        assert not client.of("error")


async def test_without_a_recogniser_and_without_a_voice_a_client_reads_why() -> None:
    async with Client(asr=None, tts=None) as client:
        client.configure(audio={"input": {"transcription": TRANSCRIBED}})
        await client.ask()
        failed = await client.until("conversation.item.input_audio_transcription.failed")
        assert "there is no recogniser" in failed["error"]["message"]
        done = await client.until("response.done")
        assert "there is no recogniser" in done["response"]["status_details"]["error"]["message"]
        client.add("hello")
        client.send("response.create")
        done = await client.until("response.done", 2)
    assert "there is no voice" in done["response"]["status_details"]["error"]["message"]
    assert done["response"]["output"][0]["content"][0]["transcript"] == "You said hello."

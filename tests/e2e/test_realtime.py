"""OpenAI's own SDK, unmodified but for its base URL, against the daemon with its real engines."""

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
import soxr
from openai import AsyncOpenAI

from airos_edge.voice.audio import AudioChunk
from tests.e2e.conftest import Daemon, StartDaemon
from tests.realtime import oracle
from tests.speech import noise, pieces, spoken

pytestmark = pytest.mark.real_time

RATE_HZ = 24_000
FRAME_S = 0.02
TRANSCRIBED = {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}
Until = Callable[[Any], bool]


class Talk:
    """A connection whose every event is checked against the SDK's types and kept."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.events: list[Any] = []

    def check(self, event: Any) -> None:
        oracle.check(event.model_dump(exclude_unset=True))

    async def until(self, kind: str) -> Any:
        async with asyncio.timeout(30):
            while True:
                event = await self.connection.recv()
                self.check(event)
                self.events.append(event)
                if event.type == kind:
                    return event

    async def say(self, sound: AudioChunk) -> None:
        """In frames of 20 ms, as a microphone brings them."""
        for piece in pieces(sound, 20):
            await self.connection.input_audio_buffer.append(
                audio=base64.b64encode(piece.pcm).decode()
            )
            await asyncio.sleep(FRAME_S)

    async def type(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        await self.connection.conversation.item.create(item=item)

    async def configure(self, **session: Any) -> None:
        await self.connection.session.update(session={"type": "realtime", **session})
        await self.until("session.updated")

    def kinds(self) -> list[str]:
        """The events' types in order, of a run of the same type only the first."""
        kinds = [event.type for event in self.events]
        return [kind for place, kind in enumerate(kinds) if place == 0 or kinds[place - 1] != kind]


def connect(daemon: Daemon) -> Any:
    client = AsyncOpenAI(api_key="any", base_url=daemon.url)
    return client.realtime.connect(model="airos")


COMMAND = "turn on the kitchen light"
SAMPLE = Path(__file__).parents[2] / "examples" / "turn-on-the-kitchen-light.wav"


def recording() -> AudioChunk:
    """The sample that the README asks with, and a second of the room after it."""
    samples, rate_hz = soundfile.read(SAMPLE, dtype="int16")
    resampled = soxr.resample(samples, rate_hz, RATE_HZ, "HQ").tobytes()
    return AudioChunk(resampled + noise(1000, rate_hz=RATE_HZ).pcm, RATE_HZ)


async def test_a_spoken_command_is_answered_aloud(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    async with connect(daemon) as connection:
        talk = Talk(connection)
        await talk.until("session.created")
        await talk.configure(**TRANSCRIBED)
        speaking = asyncio.create_task(
            talk.say(spoken(COMMAND, before_ms=300, after_ms=1500, rate_hz=RATE_HZ))
        )
        done = await talk.until("response.done")
        await speaking
    kinds = [kind for kind in talk.kinds() if not kind.endswith(".delta")]
    assert kinds == [
        "session.created",
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]
    completed = next(
        event for event in talk.events if event.type.endswith("transcription.completed")
    )
    assert completed.transcript == COMMAND
    assert done.response.output[0].content[0].transcript == "Turned on the light, in the demo house"
    audio = b"".join(
        base64.b64decode(event.delta)
        for event in talk.events
        if event.type == "response.output_audio.delta"
    )
    assert 0.5 < len(audio) / 2 / RATE_HZ < 6


async def test_the_recording_of_the_readme_is_answered_when_its_words_are_complete(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon("--demo")
    sound = recording()
    async with connect(daemon) as connection:
        talk = Talk(connection)
        await talk.until("session.created")
        detection = {"type": "semantic_vad", "eagerness": "auto"}
        await talk.configure(audio={"input": {"turn_detection": detection}})
        speaking = asyncio.create_task(talk.say(sound))
        stopped = await talk.until("input_audio_buffer.speech_stopped")
        done = await talk.until("response.done")
        await speaking
    assert stopped.audio_end_ms <= sound.ms
    assert done.response.output[0].content[0].transcript == "Turned on the light, in the demo house"


async def test_push_to_talk_is_answered_when_the_client_asks(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    async with connect(daemon) as connection:
        talk = Talk(connection)
        await talk.until("session.created")
        await talk.configure(audio={"input": {"turn_detection": None}})
        await talk.say(recording())
        await connection.input_audio_buffer.commit()
        await talk.until("input_audio_buffer.committed")
        await connection.response.create(response={"output_modalities": ["text"]})
        done = await talk.until("response.done")
    assert done.response.output[0].content[0].text == "Turned on the light, in the demo house"
    assert "input_audio_buffer.speech_started" not in talk.kinds()


async def test_a_transcription_session_transcribes(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    client = AsyncOpenAI(api_key="any", base_url=daemon.url)
    intent = {"intent": "transcription"}
    async with client.realtime.connect(extra_query=intent) as connection:
        talk = Talk(connection)
        assert (await talk.until("session.created")).session.type == "transcription"
        speaking = asyncio.create_task(talk.say(recording()))
        done = await talk.until("conversation.item.input_audio_transcription.completed")
        await speaking
    assert done.transcript == COMMAND
    assert not [kind for kind in talk.kinds() if kind.startswith("response.")]


async def test_typed_text_gets_text_or_speech(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    async with connect(daemon) as connection:
        talk = Talk(connection)
        await talk.until("session.created")
        await talk.type(COMMAND)
        await connection.response.create(response={"output_modalities": ["text"]})
        written = await talk.until("response.done")
        assert (
            written.response.output[0].content[0].text == "Turned on the light, in the demo house"
        )
        await talk.type("turn off the kitchen light")
        await connection.response.create()
        said = await talk.until("response.done")
        heard = said.response.output[0].content[0].transcript
        assert heard == "Turned off the light, in the demo house"


async def test_talking_over_the_answer_cancels_it(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    async with connect(daemon) as connection:
        talk = Talk(connection)
        await talk.until("session.created")
        await talk.type("turn off all the lights")
        await connection.response.create()
        delta = await talk.until("response.output_audio.delta")
        await asyncio.sleep(0.5)
        over = asyncio.create_task(
            talk.say(spoken("what time is it", after_ms=1500, rate_hz=RATE_HZ))
        )
        cancelled = await talk.until("response.done")
        assert cancelled.response.status == "cancelled"
        assert cancelled.response.status_details.reason == "turn_detected"
        await connection.conversation.item.truncate(
            item_id=delta.item_id, content_index=0, audio_end_ms=700
        )
        await talk.until("conversation.item.truncated")
        await connection.conversation.item.retrieve(item_id=delta.item_id)
        item = (await talk.until("conversation.item.retrieved")).item
        heard = item.content[0].transcript
        assert heard
        assert "Turned off all of the lights, in the demo house".startswith(heard)
        assert len(heard) < len("Turned off all of the lights, in the demo house")
        answered = await talk.until("response.done")
        assert answered.response.status == "completed"
        await over


async def test_a_client_cancels_and_goes_on(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    async with connect(daemon) as connection:
        talk = Talk(connection)
        await talk.until("session.created")
        await talk.type("what's the date")
        await connection.response.create()
        await talk.until("response.output_audio.delta")
        await connection.response.cancel()
        done = await talk.until("response.done")
        assert done.response.status_details.reason == "client_cancelled"
        await connection.response.cancel()
        refused = await talk.until("error")
        assert refused.error.code == "response_cancel_not_active"
        await connection.response.create()
        assert (await talk.until("response.done")).response.status == "completed"


async def test_noise_starts_no_turn(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    async with connect(daemon) as connection:
        talk = Talk(connection)
        await talk.until("session.created")
        await talk.say(noise(2000, lsb=200, rate_hz=RATE_HZ))
        await connection.input_audio_buffer.clear()
        await talk.until("input_audio_buffer.cleared")
    assert "input_audio_buffer.committed" not in talk.kinds()


async def test_stopped_within_an_answer_the_daemon_lets_it_end(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    async with connect(daemon) as connection:
        talk = Talk(connection)
        await talk.until("session.created")
        await talk.type(COMMAND)
        await connection.response.create()
        await talk.until("response.output_audio.delta")
        daemon.process.terminate()
        assert (await talk.until("response.done")).response.status == "completed"
    assert await asyncio.to_thread(daemon.process.wait, 15) == 0


async def test_the_sdk_comes_back_by_itself_to_a_daemon_that_was_restarted(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon("--demo")
    codes: list[int] = []
    client = AsyncOpenAI(api_key="any", base_url=daemon.url)
    again = client.realtime.connect(
        model="airos",
        on_reconnecting=lambda event: codes.append(event.close_code),
        initial_delay=0.2,
        max_retries=20,
    )
    async with again as connection:
        talk = Talk(connection)
        await talk.until("session.created")
        listening = asyncio.create_task(anext(aiter(connection)))
        await asyncio.to_thread(daemon.stop)
        await asyncio.to_thread(start_daemon, "--demo", AIROS_SERVER__PORT=str(daemon.port))
        assert (await asyncio.wait_for(listening, 15)).type == "session.created"
        await talk.type(COMMAND)
        await connection.response.create(response={"output_modalities": ["text"]})
        done = await talk.until("response.done")
    assert done.response.output[0].content[0].text == "Turned on the light, in the demo house"
    assert codes[0] == 1012


async def test_a_second_signal_does_not_wait_for_the_answer(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    async with connect(daemon) as connection:
        talk = Talk(connection)
        await talk.until("session.created")
        await talk.type(COMMAND)
        await connection.response.create()
        await talk.until("response.output_audio.delta")
        daemon.process.terminate()
        await asyncio.to_thread(daemon.wait_for, "Stopping.")
        daemon.process.terminate()
        assert await asyncio.to_thread(daemon.process.wait, 15) == 0
    assert "Stopped without waiting." in daemon.log

"""OpenAI's own SDK, unmodified, at the REST endpoints of the daemon with its real engines."""

import io
from typing import Any

import numpy as np
import openai
import pytest
import soundfile
from openai import AsyncAzureOpenAI, AzureOpenAI, OpenAI

from tests.e2e.conftest import Daemon, StartDaemon
from tests.e2e.test_realtime import COMMAND, SAMPLE
from tests.speech import noise, spoken

SECOND = "what time is it"


@pytest.fixture
def client(start_daemon: StartDaemon) -> OpenAI:
    return client_of(start_daemon("--demo"))


def client_of(daemon: Daemon) -> OpenAI:
    return OpenAI(api_key="any", base_url=daemon.url, max_retries=0)


def two_commands(container: str = "WAV", subtype: str = "PCM_16") -> bytes:
    """Two commands with a rest between them."""
    pcm = spoken(COMMAND, before_ms=500, after_ms=1500).pcm + spoken(SECOND, after_ms=1000).pcm
    file = io.BytesIO()
    soundfile.write(file, np.frombuffer(pcm, "<i2"), 16000, format=container, subtype=subtype)
    return file.getvalue()


def heard(client: OpenAI, **options: Any) -> Any:
    return client.audio.transcriptions.create(
        model="whisper-1", file=("two.wav", two_commands()), **options
    )


def test_the_models_are_listed_and_found(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names == ["airos", "commands", "pocketsphinx", "espeak"]
    assert client.models.retrieve("espeak").owned_by == "airos"
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("whisper-1")
    assert refused.value.code == "model_not_found"


@pytest.mark.real_time
async def test_azures_client_finds_it_all_at_azures_addresses(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    at = {"azure_endpoint": daemon.url.removesuffix("/v1"), "api_version": "2025-04-01-preview"}
    client = AzureOpenAI(**at, api_key="any", max_retries=0)
    with SAMPLE.open("rb") as file:
        said = client.audio.transcriptions.create(model="whisper", file=file)
    assert said.text == COMMAND
    sockets = f"{at['azure_endpoint'].replace('http', 'ws')}/openai"
    talker = AsyncAzureOpenAI(**at, api_key="any", websocket_base_url=sockets)
    async with talker.realtime.connect(model="mine") as connection:
        created = await connection.recv()
    assert created.type == "session.created"
    assert created.session.type == "realtime"
    assert created.session.model == "mine"


def test_what_is_not_here_is_refused_in_a_sentence(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.embeddings.create(model="fast", input="hi")
    assert refused.value.code == "unknown_url"
    assert "There is no /v1/embeddings." in str(refused.value)


def test_the_sample_of_the_readme_is_transcribed(client: OpenAI) -> None:
    with SAMPLE.open("rb") as file:
        said = client.audio.transcriptions.create(model="whisper-1", file=file)
    assert said.text == COMMAND
    assert said.usage is not None


def test_a_recording_is_given_in_every_form(client: OpenAI) -> None:
    both = f"{COMMAND} {SECOND}"
    assert heard(client, response_format="json").text == both
    assert heard(client, response_format="text") == f"{both}\n"
    verbose = heard(client, response_format="verbose_json", timestamp_granularities=["segment"])
    assert [segment.text for segment in verbose.segments] == [COMMAND, SECOND]
    first, second = verbose.segments
    assert 0.1 < first.start < 0.8 < first.end < second.start < second.end <= verbose.duration
    assert heard(client, response_format="srt").startswith("1\n00:00:00,")
    assert heard(client, response_format="vtt").startswith("WEBVTT\n\n00:00:00.")


def test_a_transcription_is_streamed(client: OpenAI) -> None:
    events = list(heard(client, stream=True))
    assert [event.type for event in events] == [
        "transcript.text.delta",
        "transcript.text.delta",
        "transcript.text.done",
    ]
    assert events[-1].text == "".join(event.delta for event in events[:-1])


@pytest.mark.parametrize(
    ("container", "subtype"), [("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")]
)
def test_compressed_recordings_are_heard(client: OpenAI, container: str, subtype: str) -> None:
    file = two_commands(container, subtype)
    said = client.audio.transcriptions.create(model="whisper-1", file=(f"a.{container}", file))
    assert said.text == f"{COMMAND} {SECOND}"


def test_two_minutes_are_heard_to_their_end(client: OpenAI) -> None:
    pcm = spoken(COMMAND, before_ms=500).pcm + noise(120_000).pcm + spoken(SECOND).pcm
    file = io.BytesIO()
    soundfile.write(file, np.frombuffer(pcm, "<i2"), 16000, format="WAV", subtype="PCM_16")
    said = client.audio.transcriptions.create(model="whisper-1", file=("long.wav", file.getvalue()))
    assert said.text == f"{COMMAND} {SECOND}"


def test_what_cannot_be_transcribed_is_refused_in_openais_form(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"no sound"))
    assert refused.value.param == "file"
    assert refused.value.type == "invalid_request_error"
    with pytest.raises(openai.BadRequestError) as refused:
        heard(client, response_format="diarized_json")
    assert refused.value.param == "response_format"
    deprecated = pytest.warns(DeprecationWarning, match="deprecated")
    with deprecated, pytest.raises(openai.BadRequestError, match="Nothing is translated"):
        client.audio.translations.create(model="whisper-1", file=("two.wav", two_commands()))


@pytest.mark.parametrize("form", ["wav", "mp3", "flac", "opus"])
def test_a_text_is_spoken_as_a_file(client: OpenAI, form: Any) -> None:
    said = client.audio.speech.create(
        model="tts-1", voice="alloy", input=COMMAND, response_format=form
    )
    samples, rate_hz = soundfile.read(io.BytesIO(said.content))
    assert rate_hz == 24_000
    assert 0.8 < len(samples) / rate_hz < 3
    assert np.abs(samples).max() > 0.1


def test_speech_is_streamed_and_what_was_spoken_is_understood(client: OpenAI) -> None:
    streaming = client.audio.speech.with_streaming_response
    with streaming.create(
        model="tts-1", voice="marin", input=COMMAND, response_format="wav", instructions="Kindly."
    ) as response:
        pieces = list(response.iter_bytes())
    said = client.audio.transcriptions.create(
        model="whisper-1", file=("said.wav", b"".join(pieces))
    )
    assert said.text == COMMAND


def test_speech_is_had_as_events(client: OpenAI) -> None:
    streaming = client.audio.speech.with_streaming_response
    with streaming.create(
        model="tts-1", voice="marin", input="Hello.", response_format="pcm", stream_format="sse"
    ) as response:
        lines = [line for line in response.iter_lines() if line]
    assert all(line.startswith('data: {"type": "speech.audio.') for line in lines)
    assert "speech.audio.done" in lines[-1]


def test_what_cannot_be_spoken_is_refused_in_openais_form(client: OpenAI) -> None:
    for wrong, param in (
        ({"response_format": "aac"}, "response_format"),
        ({"speed": 9}, "speed"),
        ({"input": " "}, "input"),
    ):
        asked: Any = {"model": "tts-1", "voice": "alloy", "input": "Hello.", **wrong}
        with pytest.raises(openai.BadRequestError) as refused:
            client.audio.speech.create(**asked)
        assert refused.value.param == param


def test_without_engines_the_box_says_that_it_is_out_of_service(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(
        "--demo",
        expect_warnings=True,
        AIROS_ASR__GRAMMAR="false",
        AIROS_ASR__ENGINE="unix:///nowhere/asr",
        AIROS_TTS__ENGINE="unix:///nowhere/tts",
    )
    client = client_of(daemon)
    with pytest.raises(openai.InternalServerError) as refused:
        client.audio.speech.create(model="tts-1", voice="alloy", input="Hello.")
    assert refused.value.status_code == 503
    with pytest.raises(openai.InternalServerError) as refused:
        heard(client)
    assert refused.value.status_code == 503

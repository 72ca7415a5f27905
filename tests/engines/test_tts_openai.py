"""A voice on a server of OpenAI's API: our own, and scripted ones that do everything wrong."""

import asyncio
import io
import re
import wave
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from airos_edge.engines import llm_endpoint
from airos_edge.engines.choosing import choose
from airos_edge.engines.espeak import load
from airos_edge.engines.opening import open_tts
from airos_edge.engines.settings import TtsSettings
from airos_edge.engines.tts_espeak import open_espeak
from airos_edge.engines.wanted import WantedTts
from airos_edge.errors import EngineError
from airos_edge.http.openai_speech import speech_routes
from airos_edge.secret import Secret
from airos_edge.voice.ports import Place, Speaking, Speech, Tts
from tests.e2e.conftest import free_port
from tests.model_server import LIMIT_S, Cut, ModelServer, Raw, Status, Step, Wait, model_server

pytestmark = pytest.mark.real_time

KEY = Secret("sk-very-secret", "env:KEY")
SENTENCES = ("Turned on the kitchen light.", " It is on.")
SOUND = (np.sin(np.arange(24_000) / 20) * 9_000).astype("<i2").tobytes()
"""A second."""


def wav(pcm: bytes = SOUND, rate_hz: int = 24_000, channels: int = 1, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate_hz)
        writer.writeframes(pcm)
    return file.getvalue()


@asynccontextmanager
async def opened(url: str, **settings: Any) -> AsyncGenerator[Tts, None]:
    tts = open_tts(choose("tts", url), WantedTts(TtsSettings(**settings)))
    async with aclosing(tts):  # type: ignore[type-var]
        yield tts


async def given(*sentences: str) -> AsyncIterator[str]:
    for sentence in sentences:
        yield sentence


async def speak(tts: Tts, *sentences: str, **how: Any) -> list[Speech]:
    return [piece async for piece in tts.speak(given(*sentences), Speaking(**how))]


def pcm(pieces: Sequence[Speech]) -> bytes:
    return b"".join(piece.chunk.pcm for piece in pieces)


@contextmanager
def speaking(*steps: Step, kind: str = "audio/pcm") -> Iterator[ModelServer]:
    with model_server(steps, content_type=kind) as server:
        yield server


async def answered(*steps: Step, kind: str = "audio/pcm", **settings: Any) -> list[Speech]:
    with speaking(*steps, kind=kind) as server:
        async with opened(server.url, **settings) as tts:
            return await speak(tts, SENTENCES[0])


async def failure(*steps: Step, kind: str = "audio/pcm", **settings: Any) -> str:
    with pytest.raises(EngineError) as raised:
        await answered(*steps, kind=kind, **settings)
    assert raised.value.engine.startswith("http://127.0.0.1:")
    assert KEY.value not in str(raised.value)
    return str(raised.value)


# ---- our own server -----------------------------------------------------------------------------


@asynccontextmanager
async def own_server() -> AsyncGenerator[str, None]:
    async def speech(texts: AsyncIterable[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        async for piece in open_espeak(None, 1.0).speak(aiter(texts), how):
            yield piece

    app = web.Application()
    app.add_routes(speech_routes(speech, lambda: "en", lambda: load().languages))
    async with TestServer(app, host="127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.port}/v1"


async def test_a_box_speaks_with_the_voice_of_another_box() -> None:
    async with own_server() as url, opened(url) as tts:
        pieces = await speak(tts, *SENTENCES)
        fast = await speak(tts, *SENTENCES, speed=2.0)
        german = await speak(tts, *SENTENCES, voice="de")
    assert "".join(piece.text for piece in pieces) == "".join(SENTENCES)
    assert {piece.chunk.rate_hz for piece in pieces} == {24_000}
    assert 1.5 < len(pcm(pieces)) / 2 / 24_000 < 4
    assert len(pcm(fast)) < 0.8 * len(pcm(pieces))
    assert pcm(german) != pcm(pieces)


async def test_a_word_comes_about_when_it_is_said() -> None:
    async with own_server() as url, opened(url) as tts:
        pieces = await speak(tts, SENTENCES[0])
    at_ms = 0.0
    begins = {}
    for piece in pieces:
        begins[piece.text.strip()] = at_ms
        at_ms += piece.chunk.ms
    assert 250 < begins["on"] < 600
    assert 700 < begins["light."] < 1500


# ---- what is asked ------------------------------------------------------------------------------


async def test_each_sentence_is_a_request_with_model_voice_and_key() -> None:
    with speaking(Raw(SOUND)) as server:
        async with opened(server.url, api_key=KEY) as tts:
            pieces = await speak(tts, *SENTENCES, " ")
        first, second = server.requests
        assert server.connections == 1
    assert "".join(piece.text for piece in pieces) == "".join(SENTENCES)
    assert first["path"] == "/v1/audio/speech"
    assert first["headers"]["Authorization"] == f"Bearer {KEY.value}"
    keys = ("model", "voice", "input", "response_format")
    assert [first[key] for key in keys] == ["tts-1", "alloy", SENTENCES[0], "pcm"]
    assert second["input"] == SENTENCES[1].strip()
    assert "speed" not in first


async def test_model_voice_and_speed_are_as_configured_and_as_asked_for() -> None:
    with speaking(Raw(SOUND)) as server:
        async with opened(server.url, model="kokoro", voice="af_sky", rate=1.25) as tts:
            await speak(tts, SENTENCES[0])
            await speak(tts, SENTENCES[0], voice="echo", speed=1.6)
            await speak(tts, SENTENCES[0], speed=9.0)
        asked = [
            [request[key] for key in ("model", "voice", "speed")] for request in server.requests
        ]
    assert asked == [["kokoro", "af_sky", 1.25], ["kokoro", "echo", 2.0], ["kokoro", "af_sky", 4.0]]


async def test_nothing_is_sent_before_it_is_needed_and_its_place_is_by_the_address() -> None:
    for url, place in (
        ("http://127.0.0.1:1/v1", Place.LOCAL),
        ("http://192.168.1.2:8000/v1", Place.EDGE),
        ("https://api.openai.com/v1", Place.CLOUD),
    ):
        async with opened(url) as tts:
            assert (tts.place, tts.name) == (place, url)
    async with opened("http://me:secret@127.0.0.1:1/v1") as tts:
        assert tts.name == "http://127.0.0.1:1/v1"


# ---- what is answered ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "kind", "rate_hz", "sound"),
    [
        (SOUND, "audio/pcm", 24_000, SOUND),
        (SOUND, "audio/pcm;rate=22050;channels=1", 22_050, SOUND),
        (SOUND, "application/octet-stream", 24_000, SOUND),
        (SOUND + b"x", "audio/mpeg", 24_000, SOUND),
        (wav(), "audio/wav", 24_000, SOUND),
        (wav(rate_hz=22_050), "application/octet-stream", 22_050, SOUND),
        (wav() + b"LIST\x04\0\0\0INFO", "audio/x-wav", 24_000, SOUND),
        (wav().replace(len(SOUND).to_bytes(4, "little"), b"\xff" * 4), "", 24_000, SOUND),
        (wav().replace(b"\x80\xbb\0\0", b"\x7f\xbb\0\0"), "", 24_000, SOUND[:-2]),
        (wav()[:12] + b"LIST\x05\0\0\0INFO-\0" + wav()[12:], "", 24_000, SOUND),
        (wav(np.repeat(np.frombuffer(SOUND, "<i2"), 2).tobytes(), channels=2), "", 24_000, SOUND),
        (b"\xff\xfb" + SOUND, "audio/pcm", 24_000, b"\xff\xfb" + SOUND),
    ],
)
async def test_pcm_and_wav_are_understood_however_they_are_cut(
    data: bytes, kind: str, rate_hz: int, sound: bytes
) -> None:
    crumbs = [Raw(data[:1]), Raw(data[1:30]), Raw(data[30:51]), Raw(data[51:4_000])]
    pieces = await answered(*crumbs, Raw(data[4_000:]), kind=kind)
    assert "".join(piece.text for piece in pieces) == SENTENCES[0]
    assert {piece.chunk.rate_hz for piece in pieces} == {rate_hz}
    received = pcm(pieces)
    assert received[: len(sound)] == sound
    assert not any(received[len(sound) :]), "what is left of the words comes with silence"


@pytest.mark.parametrize(
    ("data", "kind", "told"),
    [
        (b"ID3\x04" + SOUND, "audio/mpeg", "sends MP3, where PCM was asked for"),
        (b"\xff\xfb\x90\xc4" + SOUND, "audio/mpeg", "sends MP3"),
        (b"\xff\xf3\x90\xc4" + SOUND, "application/octet-stream", "sends MP3"),
        (b"OggS" + SOUND, "audio/ogg", "sends Ogg"),
        (b"fLaC" + SOUND, "audio/flac", "sends FLAC"),
        (b"<!DOCTYPE html><html></html>", "text/html; charset=utf-8", "sends text/html, where"),
        (b'{"audio": "..."}', "application/json", "sends application/json, where sound"),
        (b"", "audio/pcm", "sends nothing, where sound should be"),
        (wav(width=1), "audio/wav", "a WAV of 8 bits and kind 1: wants 16-bit PCM"),
        (wav()[:40], "audio/wav", "a WAV that ends before its samples"),
        (b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd", "", "a WAV that does not say its format"),
        (b"RIFF" + bytes(100_000), "audio/wav", "a WAV without samples"),
    ],
)
async def test_what_is_no_sound_is_told_in_a_sentence(data: bytes, kind: str, told: str) -> None:
    assert told in await failure(Raw(data[:5]), Raw(data[5:]), kind=kind)


@pytest.mark.parametrize(
    ("status", "settings", "told"),
    [
        (401, {}, r"wants a key: give it as tts\.api_key \(HTTP 401: not today\)"),
        (401, {"api_key": KEY}, r"refuses the key of tts\.api_key"),
        (404, {}, r"knows no model 'tts-1' at http://127.*: look at tts \("),
        (429, {}, r"is asked too often"),
        (500, {}, r"its server failed"),
        (400, {}, r"refuses the question"),
    ],
)
async def test_a_refusal_says_what_to_do(status: int, settings: Any, told: str) -> None:
    message = await failure(Status(status), **settings)
    assert re.search(told, message), message


async def test_what_goes_wrong_on_the_way_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(llm_endpoint, "STALL_S", 0.2)
    assert "has stalled" in await failure(Raw(SOUND), Wait())
    assert "broke off" in await failure(Raw(SOUND), Cut())
    url = f"http://127.0.0.1:{free_port()}/v1"
    async with opened(url) as tts:
        with pytest.raises(EngineError, match=f"cannot be reached at {url}.*does its server run"):
            await speak(tts, SENTENCES[0])


async def test_what_was_heard_before_a_failure_has_its_text() -> None:
    heard: list[Speech] = []

    async def hear(tts: Tts) -> None:
        async for piece in tts.speak(given(SENTENCES[0]), Speaking()):
            heard.append(piece)

    with speaking(Raw(SOUND), Cut()) as server:
        async with opened(server.url) as tts:
            with pytest.raises(EngineError, match="broke off"):
                await hear(tts)
    assert "".join(piece.text for piece in heard).startswith("Turned on the")


async def test_sound_comes_while_it_is_made_and_closing_hangs_up() -> None:
    with speaking(Raw(SOUND), Wait()) as server:
        async with opened(server.url) as tts:
            speech = tts.speak(given(SENTENCES[0]), Speaking())
            assert (await anext(speech)).text.startswith("Turned")
            await speech.aclose()
            assert await asyncio.to_thread(server.hung_up.wait, LIMIT_S / 2)


async def test_cancelled_before_the_first_sound_it_hangs_up() -> None:
    with speaking(Wait()) as server:
        async with opened(server.url) as tts:
            task = asyncio.ensure_future(speak(tts, SENTENCES[0]))
            assert await asyncio.to_thread(server.asked.wait, LIMIT_S / 2)
            task.cancel()
            await asyncio.wait([task])
            assert await asyncio.to_thread(server.hung_up.wait, LIMIT_S / 2)

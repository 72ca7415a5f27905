"""A recogniser on a server of OpenAI's API: our own, and scripted ones that do everything wrong."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from io import BytesIO
from typing import Any

import pytest
import soundfile
from aiohttp import web
from aiohttp.test_utils import TestServer

from airos_edge.engines import llm_endpoint
from airos_edge.engines.choosing import choose
from airos_edge.engines.lease import refuse_beyond
from airos_edge.engines.opening import open_asr
from airos_edge.engines.settings import AsrSettings
from airos_edge.engines.wanted import WantedAsr
from airos_edge.errors import EngineError, ReachError
from airos_edge.http.openai_transcriptions import transcription_routes
from airos_edge.secret import Secret
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Asr, Hints, Place, Transcript
from airos_edge.voice.utterance import Ended, EndReason, Utterance
from tests.e2e.conftest import free_port
from tests.fakes import FakeAsr
from tests.http.hearing import Box
from tests.model_server import LIMIT_S, Cut, Raw, Status, Step, Wait, model_server
from tests.room import speech

pytestmark = pytest.mark.real_time

KEY = Secret("sk-very-secret", "env:KEY")
ENGLISH = Hints("en-gb")
JSON = "application/json"


def utterance(
    ms: int = 400, reason: EndReason = EndReason.SILENCE, wake_word: str | None = None
) -> Utterance:
    heard = Utterance("item", "speech", 0, wake_word)
    for chunk in speech(ms):
        heard.write(chunk)
    heard.end(Ended(reason, ms))
    return heard


@asynccontextmanager
async def opened(url: str, **settings: Any) -> AsyncGenerator[Asr, None]:
    told = AsrSettings(**settings)
    asr = open_asr(choose("asr", url), WantedAsr(told))
    async with aclosing(asr):  # type: ignore[type-var]
        yield asr


async def transcribed(
    asr: Asr, heard: Utterance | None = None, hints: Hints = ENGLISH
) -> list[Transcript]:
    async with aclosing(asr.transcribe(heard or utterance(), hints)) as transcripts:
        return [transcript async for transcript in transcripts]


def text_of(text: str, **more: Any) -> Raw:
    return Raw(json.dumps({"text": text, **more}).encode())


async def failure(*steps: Step, kind: str = JSON, **settings: Any) -> EngineError:
    with model_server(steps, content_type=kind) as server:
        async with opened(server.url, **settings) as asr:
            with pytest.raises(EngineError) as raised:
                await transcribed(asr)
    assert KEY.value not in str(raised.value)
    assert raised.value.engine == server.url
    return raised.value


# ---- asking -------------------------------------------------------------------------------------


async def test_our_own_server_hears_what_was_recorded() -> None:
    box = Box(asr=FakeAsr("turn on the lamp"))
    app = web.Application()
    app.add_routes(transcription_routes(box.open_hearing, lambda: "en"))
    async with (
        TestServer(app, host="127.0.0.1") as server,
        opened(f"{server.make_url('/v1')}") as asr,
    ):
        assert await transcribed(asr, utterance(1500)) == [
            Transcript("turn on the lamp"),
            Transcript("turn on the lamp", final=True),
        ]


async def test_the_recording_is_sent_as_a_file_with_what_is_known_of_it() -> None:
    heard = utterance(400)
    with model_server([text_of(" Turn on the lamp. ")], content_type=JSON) as server:
        async with opened(server.url, model="large", api_key=KEY) as asr:
            hints = Hints("en", names=("kitchen", "lamp"))
            assert await transcribed(asr, heard, hints) == [
                Transcript("Turn on the lamp.", final=True)
            ]
    (asked,) = server.requests
    assert asked["path"] == "/v1/audio/transcriptions"
    assert asked["headers"]["Authorization"] == f"Bearer {KEY.value}"
    told = {name: asked[name] for name in ("model", "language", "prompt", "response_format")}
    assert told == {
        "model": "large",
        "language": "en",
        "prompt": "kitchen, lamp",
        "response_format": "json",
    }
    samples, rate_hz = soundfile.read(BytesIO(asked["file"]), dtype="int16")
    assert (samples.tobytes(), rate_hz) == (heard.pcm, 16_000)


async def test_nothing_is_made_up_where_nothing_is_said_of_it() -> None:
    with model_server([text_of("so")], content_type=JSON) as server:
        async with opened(server.url) as asr:
            await transcribed(asr)
    (asked,) = server.requests
    assert asked["model"] == "whisper-1"
    assert "prompt" not in asked
    assert "Authorization" not in asked["headers"]


async def test_where_several_languages_may_be_spoken_the_server_hears_which_it_is() -> None:
    with model_server([text_of("so", language="de")], content_type=JSON) as server:
        async with opened(server.url) as asr:
            told = await transcribed(asr, hints=Hints("en", languages=("en", "de")))
            assert told == [Transcript("so", final=True, language="de")]
    assert "language" not in server.requests[0]


async def test_names_are_told_as_far_as_a_prompt_is_read() -> None:
    with model_server([text_of("so")], content_type=JSON) as server:
        async with opened(server.url) as asr:
            await transcribed(asr, hints=Hints("en", names=("kitchen",) * 200))
    prompt = server.requests[0]["prompt"]
    assert 480 < len(prompt) <= 500
    assert prompt.endswith("kitchen")


async def test_who_tells_its_answer_while_it_makes_it_is_heard_at_once() -> None:
    deltas: list[Step] = [
        {"type": "transcript.text.delta", "delta": piece} for piece in ("Turn on", " the lamp.")
    ]
    done = {"type": "transcript.text.done", "text": "Turn on the lamp."}
    with model_server([*deltas, {"type": "something.new"}, done]) as server:
        async with opened(server.url) as asr:
            for _ in range(2):
                assert await transcribed(asr) == [
                    Transcript("Turn on"),
                    Transcript("Turn on the lamp."),
                    Transcript("Turn on the lamp.", final=True),
                ]
    assert server.connections == 1


async def test_the_wake_word_is_no_part_of_it() -> None:
    with model_server([text_of("Hey Jarvis, stop.")], content_type=JSON) as server:
        async with opened(server.url) as asr:
            heard = utterance(wake_word="hey_jarvis")
            assert (await transcribed(asr, heard))[-1].text == "stop."


@pytest.mark.parametrize(
    ("ms", "reason"),
    [(400, EndReason.DISCARDED), (400, EndReason.NO_SPEECH), (80, EndReason.COMMIT)],
)
async def test_what_is_no_question_never_leaves(ms: int, reason: EndReason) -> None:
    with model_server([text_of("so")]) as server:
        async with opened(server.url) as asr:
            assert await transcribed(asr, utterance(ms, reason)) == [Transcript("", final=True)]
    assert server.requests == []


async def test_nothing_leaves_before_the_end_and_cancelling_hangs_up() -> None:
    heard = Utterance("item", "speech", 0)
    with model_server([Wait()]) as server:
        async with opened(server.url) as asr, Scope() as scope:
            task = scope.start(transcribed(asr, heard), "transcribing")
            for chunk in speech(400):
                heard.write(chunk)
                await asyncio.sleep(0)
            assert not server.asked.is_set()
            heard.end(Ended(EndReason.SILENCE, 400))
            assert await asyncio.to_thread(server.asked.wait, LIMIT_S / 2)
            task.cancel()
            await asyncio.wait([task])
            assert await asyncio.to_thread(server.hung_up.wait, LIMIT_S / 2)


async def test_it_is_as_far_away_as_its_address_says() -> None:
    async with opened("https://api.openai.com/v1") as asr:
        assert asr.place is Place.CLOUD
        with pytest.raises(ReachError):
            refuse_beyond(asr.name, asr.place, Place.EDGE)
    async with opened("http://192.168.1.7:8000/v1") as asr:
        assert asr.place is Place.EDGE


# ---- what goes wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "kind", "told"),
    [
        (
            [Status(404)],
            JSON,
            r"knows no model 'whisper-1' at http://127.*: look at asr \(HTTP 404",
        ),
        ([Status(400)], JSON, r"refuses the question \(HTTP 400: not today\)"),
        ([Status(500)], JSON, r"its server failed \(HTTP 500"),
        ([Raw(b"<html>")], JSON, "sent what is no JSON"),
        ([Raw(b"[]")], JSON, "answers, but not with a transcript"),
        ([Raw(b'{"text": 5}')], JSON, "answers, but not with a transcript"),
        ([Raw(b'{"error": {"message": "no"}}')], JSON, ": no$"),
        ([Raw(b'{"te'), Cut()], JSON, "broke off"),
        ([Raw(b"x" * 1024) for _ in range(1025)], JSON, "does not come to an end"),
        ([{"error": {"message": "it broke"}}], "text/event-stream", ": it broke$"),
        ([{"type": "transcript.text.delta", "delta": "so"}], "text/event-stream", "broke off in"),
        ([{"type": "transcript.text.done"}], "text/event-stream", "not with a transcript"),
        ([Raw(b"data: {\n\n")], "text/event-stream", "sent what is no JSON"),
    ],
)
async def test_what_goes_wrong_there_is_a_sentence(steps: list[Step], kind: str, told: str) -> None:
    error = str(await failure(*steps, kind=kind))
    assert re.search(told, error), error


async def test_a_key_that_is_wrong_or_lacks_is_said_to_be() -> None:
    assert "wants a key: give it as asr.api_key" in str(await failure(Status(401)))
    assert "refuses the key of asr.api_key" in str(await failure(Status(401), api_key=KEY))


async def test_who_is_asked_too_often_says_how_long_to_wait() -> None:
    error = await failure(Status(429, headers={"Retry-After": "20"}))
    assert error.retry_after_s == 20
    assert "rests for 20 s" in str(error)


async def test_who_says_nothing_has_stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm_endpoint, "STALL_S", 0.2)
    assert "has stalled" in str(await failure(Wait()))
    assert "has stalled" in str(await failure(Raw(b"{"), Wait()))


async def test_who_is_not_there_cannot_be_reached() -> None:
    async with opened(f"http://127.0.0.1:{free_port()}/v1") as asr:
        with pytest.raises(EngineError, match=r"cannot be reached at .*; does its server run\?"):
            await transcribed(asr)

"""A recogniser elsewhere: a server of OpenAI's API, their own or one on this box or in this LAN."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from airos_edge.engines.llm_endpoint import Endpoint, complaint, open_endpoint
from airos_edge.engines.llm_openai import headers
from airos_edge.engines.wanted import WantedAsr
from airos_edge.network import shown
from airos_edge.voice.audio import RATE_HZ, encode_wav
from airos_edge.voice.ports import Asr, Hints, Place, Transcript
from airos_edge.voice.utterance import Utterance
from airos_edge.voice.waking import without

if TYPE_CHECKING:
    import httpx2

MODEL = "whisper-1"
"""The name that small servers answer to as well."""
SHORTEST_MS = 100
"""OpenAI refuses what is shorter; in less than that nothing is said."""
LONGEST_PROMPT = 500
"""Characters: of a prompt, Whisper reads the last 224 tokens only."""
LARGEST_ANSWER = 1024 * 1024


class OpenAiAsr:
    def __init__(self, endpoint: Endpoint, place: Place) -> None:
        self.name = endpoint.name
        self.place = place
        self._endpoint = endpoint

    async def transcribe(self, heard: Utterance, hints: Hints) -> AsyncGenerator[Transcript, None]:
        """The API takes a file: nothing is sent before the recording has ended, and nothing of one that is
        no question. Partials are what a server tells of its answer while it makes it.

        Raises EngineError. Closing or cancelling hangs up.
        """
        ended = await heard.ended()
        if not ended.is_question or heard.ms < SHORTEST_MS:
            yield Transcript("", final=True)
            return
        file = ("speech.wav", encode_wav(heard.pcm, RATE_HZ), "audio/wav")
        asked: dict[str, Any] = {"data": self._fields(hints), "files": {"file": file}}
        final: Transcript | None = None
        async with (
            self._endpoint.answer("/audio/transcriptions", **asked) as response,
            aclosing(self._told(response)) as told,
        ):
            async for final in told:
                if not final.final:
                    yield self._without_wake_word(final, heard)
        if final is None or not final.final:
            raise self._endpoint.failed("broke off in the middle of its transcript")
        yield self._without_wake_word(final, heard)

    def _fields(self, hints: Hints) -> Mapping[str, str]:
        """Without a language the server hears which it is. Not all servers stream; who does not, ignores
        it (platform.openai.com/docs/api-reference/audio/createTranscription)."""
        fields = {
            "model": self._endpoint.model,
            "response_format": "json",
            "stream": "true",
        }
        if len(hints.languages) < 2:
            fields["language"] = hints.language.partition("-")[0]
        if prompt := _prompt(hints.names):
            fields["prompt"] = prompt
        return fields

    async def _told(self, response: "httpx2.Response") -> AsyncGenerator[Transcript, None]:
        kind = response.headers.get("content-type", "").partition(";")[0].strip()
        if kind != "text/event-stream":
            yield _final(await self._whole(response), self._endpoint)
            return
        text = ""
        async with aclosing(self._endpoint.events_of(response)) as events:
            async for event in events:
                match event:
                    case {"error": error} if error:
                        raise self._endpoint.failed(complaint(error))
                    case {"type": "transcript.text.delta", "delta": str(delta)}:
                        text += delta
                        yield Transcript(text)
                    case {"type": "transcript.text.done"}:
                        yield _final(event, self._endpoint)

    async def _whole(self, response: "httpx2.Response") -> Any:
        raw = b""
        async with aclosing(response.aiter_bytes()) as pieces:
            async for piece in pieces:
                raw += piece
                if len(raw) > LARGEST_ANSWER:
                    raise self._endpoint.failed("does not come to an end")
        return json.loads(raw)

    def _without_wake_word(self, told: Transcript, heard: Utterance) -> Transcript:
        text = without(heard.wake_word, told.text.strip())
        return Transcript(text, told.final, language=told.language)

    async def aclose(self) -> None:
        await self._endpoint.aclose()


def _final(told: Any, endpoint: Endpoint) -> Transcript:
    """Of an answer, or of an event that is its last. Raises EngineError for what is neither."""
    match told:
        case {"text": str(text)}:
            language = told.get("language")
            # Some tell it, and some of these by its English name.
            is_code = isinstance(language, str) and len(language) in (2, 3)
            return Transcript(text, final=True, language=language if is_code else None)
        case {"error": error} if error:
            raise endpoint.failed(complaint(error))
    raise endpoint.failed(f"{endpoint.where} answers, but not with a transcript")


def _prompt(names: Sequence[str]) -> str:
    """As many as fit, whole."""
    told = ""
    for name in names:
        longer = f"{told}, {name}" if told else name
        if len(longer) > LONGEST_PROMPT:
            break
        told = longer
    return told


def open_asr(wanted: WantedAsr) -> Asr:
    """Sends nothing. Raises EngineUnavailable."""
    settings, key = wanted.settings, wanted.settings.api_key
    model, told = settings.model or MODEL, headers(key)
    where = shown(wanted.uri)
    endpoint = open_endpoint(where, wanted.uri, model, wanted.place, key, told, "asr")
    return OpenAiAsr(endpoint, wanted.place)

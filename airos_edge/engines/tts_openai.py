"""A voice elsewhere: a server of OpenAI's API, their own or one on this box or in this LAN."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from airos_edge.engines.llm_endpoint import Endpoint, open_endpoint
from airos_edge.engines.llm_openai import headers
from airos_edge.engines.sound_stream import sound_of
from airos_edge.engines.spread import Piece, spread
from airos_edge.engines.wanted import WantedTts
from airos_edge.network import shown
from airos_edge.voice.ports import Place, Speaking, Speech, Tts

MODEL, VOICE = "tts-1", "alloy"
"""The names that small servers answer to as well; OpenAI's own is the quicker of its two first ones."""
SLOWEST, FASTEST = 0.25, 4.0
"""What a server takes for a speed: platform.openai.com/docs/api-reference/audio/createSpeech."""


class OpenAiTts:
    def __init__(self, endpoint: Endpoint, place: Place, voice: str | None, rate: float) -> None:
        self.name = endpoint.name
        self.place = place
        self._endpoint = endpoint
        self._voice = voice
        self._rate = rate

    async def speak(self, text: AsyncIterator[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        """Each sentence by a request of its own, as its sound comes. The API knows no language: the voice
        sees for itself.

        Raises EngineError; closing or cancelling hangs up.
        """
        speed = min(FASTEST, max(SLOWEST, self._rate * how.speed))
        voice = how.voice or self._voice or VOICE
        unsaid = ""
        async for sentence in text:
            unsaid += sentence
            if not unsaid.strip():
                continue
            sound = self._sound(unsaid.strip(), voice, speed)
            async with aclosing(spread(unsaid, sound, speed)) as pieces:
                async for piece in pieces:
                    yield piece
            unsaid = ""

    async def _sound(self, text: str, voice: str, speed: float) -> AsyncGenerator[Piece, None]:
        asked: dict[str, Any] = {
            "model": self._endpoint.model,
            "voice": voice,
            "input": text,
            "response_format": "pcm",
        }
        if speed != 1.0:  # there are servers that know no such thing
            asked["speed"] = speed
        async with self._endpoint.answer("/audio/speech", json=asked) as response:
            kind = response.headers.get("content-type", "")
            async with (
                aclosing(response.aiter_bytes()) as received,
                aclosing(sound_of(received, kind)) as sound,
            ):
                try:
                    async for chunk in sound:
                        yield chunk, None
                except ValueError as error:
                    raise self._endpoint.failed(str(error)) from error

    async def aclose(self) -> None:
        await self._endpoint.aclose()


def open_tts(wanted: WantedTts) -> Tts:
    """Sends nothing. Raises EngineUnavailable."""
    settings = wanted.settings
    key = settings.api_key
    endpoint = open_endpoint(
        shown(wanted.uri),
        wanted.uri,
        settings.model or MODEL,
        wanted.place,
        key,
        headers(key),
        "tts",
    )
    return OpenAiTts(endpoint, wanted.place, settings.voice, settings.rate)

"""A voice elsewhere: a Wyoming `tts` service on this box, in this LAN or beyond it."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from wyoming.tts import Synthesize, SynthesizeVoice

from airos_edge.engines.wanted import WantedTts
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ports import Place, Speaking, Speech, Tts
from airos_edge.wyoming.client import connect
from airos_edge.wyoming.sound import MonoSound, OneRate


class WyomingTts:
    def __init__(self, uri: str, place: Place, voice: str | None) -> None:
        self.name = uri
        self.place = place
        self._voice = voice

    async def speak(self, text: AsyncIterator[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        """Each sentence by a connection of its own, as Home Assistant asks: that every service knows. Its
        text comes with its first sound, and all is in the rate of the first. The protocol knows no speed.

        Raises EngineError; cancelling closes the connection.
        """
        name = how.voice or self._voice
        voice = SynthesizeVoice(name=name) if name else SynthesizeVoice(language=how.language)
        rate: OneRate | None = None
        unsaid = ""
        async for sentence in text:
            unsaid += sentence
            async with aclosing(self._say(sentence.strip(), voice)) as sounds:
                async for sound in sounds:
                    rate = rate or OneRate(sound.rate_hz)
                    yield Speech(rate.of(sound), unsaid)
                    unsaid = ""
        if unsaid and rate is not None:
            yield Speech(AudioChunk(b"", rate.rate_hz), unsaid)

    async def _say(self, sentence: str, voice: SynthesizeVoice) -> AsyncGenerator[AudioChunk, None]:
        sound = MonoSound()
        async with connect(self.name) as wire:
            await wire.send(Synthesize(sentence, voice))
            async for event in wire:
                match event.type:
                    case "audio-chunk":
                        yield wire.read(event, sound.of)
                    case "audio-stop":
                        return


def open_tts(wanted: WantedTts) -> Tts:
    """`voice` None: the service's own for the language. Nothing is connected before it is needed."""
    return WyomingTts(wanted.uri, wanted.place, wanted.settings.voice)

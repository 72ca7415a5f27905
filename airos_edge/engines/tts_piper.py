"""Speech by Piper: a neural voice that even a small board has the time for, one for each model on the box."""

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from difflib import get_close_matches

from airos_edge.engines.piper_voice import LoadedVoice, Run, VoiceFiles, load_voice, voice_files
from airos_edge.engines.settings import TtsSettings
from airos_edge.engines.spread import at_once, spread
from airos_edge.engines.thread import Lane
from airos_edge.engines.wanted import WantedTts
from airos_edge.errors import EngineError, EngineUnavailable, PromptError
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ports import Place, Speaking, Speech, Tts
from airos_edge.voice.tags import is_same

log = logging.getLogger(__name__)

MOST_LOADED = 2
"""Voices in memory: 60 to 120 MB each. The one that was not used for the longest time goes first."""
SPEAKER = "#"
"""Between a voice's name and its speaker's, or the speaker's number: en_US-libritts-high#12."""
LONG = 120
"""Characters of a sentence that is made in parts: of one that lasts 8 s, a board that makes speech three
times as fast as it is said would say nothing for 3 s."""
PART = 30
"""No part is shorter: every cut costs some of the melody."""
CLAUSE_END = re.compile(r"(?<=[,;:!?.])\s")


class PiperTts:
    name = "piper"
    place = Place.LOCAL
    pause_ms = 200
    """Between two sentences, as Piper itself has it: rhasspy/piper, src/cpp/piper.hpp."""

    def __init__(self, voices: Sequence[VoiceFiles], settings: TtsSettings, language: str) -> None:
        """The first of the voices speaks `language`; of the others, the best come first. Use `open_tts`."""
        self.runs_on = "cpu"
        """Or cuda: where the voice that spoke last does."""
        self._voices: dict[str, VoiceFiles] = {}
        for voice in voices:
            self._voices.setdefault(voice.name, voice)
        self._first = voices[0]
        self._settings = settings
        self._language = language
        self._loaded: OrderedDict[str, LoadedVoice] = OrderedDict()
        self._lane = Lane("piper")

    def voices(self, language: str) -> dict[str, str]:
        """Their names, with the language that each speaks: first those of this language, each followed by
        its speakers."""
        ordered = sorted(self._voices.values(), key=lambda voice: not voice.speaks(language))
        return {name: voice.languages[0] for voice in ordered for name in _names(voice)}

    async def speak(self, text: AsyncIterator[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        """Each sentence, cut where words begin; a long one as soon as its first part is made.

        Raises EngineError, also for a voice or language that there is none of. Cancelling or closing ends
        the model's run before its next operator.
        """
        voice, speaker = self.find(how)
        speed = self._settings.rate * how.speed
        async for sentence in text:
            for part in parts_of(sentence):
                audio = await self._say(voice, part, speaker, speed)
                async with aclosing(spread(part, at_once(audio), speed)) as pieces:
                    async for piece in pieces:
                        yield piece

    async def _say(
        self, voice: VoiceFiles, text: str, speaker: int | None, speed: float
    ) -> AudioChunk:
        run = Run()
        try:
            return await self._lane.call(
                lambda: self.loaded(voice).say(text.strip(), speaker, speed, run)
            )
        except asyncio.CancelledError:
            run.end()
            raise

    def find(self, how: Speaking) -> tuple[VoiceFiles, int | None]:
        """The voice that is asked for; or else the configured one, if it is in the box's language; or else the
        best of the language. And which of its speakers, if one is named. Raises EngineError."""
        usual = self._settings.voice if is_same(how.language, self._language) else None
        wanted = how.voice or usual
        if wanted is None:
            is_usual = how.language == self._language
            return self._first if is_usual else self._best(how.language), None
        name, _, speaker = wanted.partition(SPEAKER)
        voice = self._voices.get(name) or next(
            (voice for voice in self._voices.values() if voice.model.name == name), None
        )
        if voice is None:
            near = get_close_matches(name, self._voices, n=3) or [*self._voices][:4]
            raise _unknown(f"there is no voice {name!r}; try {' or '.join(near)}")
        return voice, _speaker(voice, speaker)

    def _best(self, language: str) -> VoiceFiles:
        of_language = [voice for voice in self._voices.values() if voice.speaks(language)]
        if not of_language:
            known = sorted({one for voice in self._voices.values() for one in voice.languages})
            raise _unknown(f"there is no voice for {language!r}, but {', '.join(known)}")
        exact = [voice for voice in of_language if language.lower() in voice.languages]
        return (exact or of_language)[0]

    def loaded(self, voice: VoiceFiles) -> LoadedVoice:
        """Blocks while it is loaded, if it is not. In the lane's thread, or before it has one. Raises
        EngineUnavailable."""
        loaded = self._loaded.pop(voice.name, None)
        if loaded is None:
            while len(self._loaded) >= MOST_LOADED:
                self._loaded.popitem(last=False)
            loaded = load_voice(voice, self._settings.device)
        self._loaded[voice.name] = loaded
        self.runs_on = loaded.runs_on
        return loaded

    async def aclose(self) -> None:
        """What runs in the model's thread is not waited for."""
        self._lane.close()


def open_tts(wanted: WantedTts) -> Tts:
    """Loads the voice that speaks unasked, and warms it. Raises EngineUnavailable."""
    if wanted.model is None:
        raise EngineUnavailable("piper", "wants a voice: `airos models list` shows those there are")
    voices = [voice_files(wanted.model)]
    for model in wanted.models:
        if model.path != wanted.model.path:
            try:
                voices.append(voice_files(model))
            except EngineUnavailable as error:
                log.warning("Going on without the voice %s: %s", model.name, error)
    tts = PiperTts(voices, wanted.settings, wanted.language)
    try:
        tts.loaded(tts.find(Speaking(language=wanted.language))[0])
    except EngineUnavailable:
        raise
    except EngineError as error:  # the voice that is configured
        raise EngineUnavailable("piper", str(error).removeprefix("piper: ")) from error
    return tts


def parts_of(sentence: str) -> Iterator[str]:
    """The sentence; of a long one first the clauses at its beginning, then the rest. Joined, they are it."""
    ends = CLAUSE_END.finditer(sentence)
    cut = next((end.start() for end in ends if end.start() >= PART), 0)
    if len(sentence) > LONG and cut and len(sentence) - cut >= PART:
        yield sentence[:cut]
        sentence = sentence[cut:]
    yield sentence


def _names(voice: VoiceFiles) -> list[str]:
    return [voice.name, *(f"{voice.name}{SPEAKER}{speaker}" for speaker in voice.speakers)]


def _speaker(voice: VoiceFiles, wanted: str) -> int | None:
    """By name or number. Raises EngineError."""
    if not wanted:
        return None
    if wanted in voice.speakers:
        return voice.speakers[wanted]
    if wanted.isdecimal() and int(wanted) in voice.speakers.values():
        return int(wanted)
    near = get_close_matches(wanted, voice.speakers, n=3) or [*voice.speakers][:4]
    has = f"try {' or '.join(near)}" if near else "it has only one"
    raise _unknown(f"{voice.name} has no speaker {wanted!r}; {has}")


def _unknown(what: str) -> PromptError:
    return PromptError("piper", what, "invalid_value")

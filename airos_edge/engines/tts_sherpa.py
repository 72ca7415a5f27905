"""Speech by sherpa-onnx: VITS (Piper's too), Matcha, Kokoro, Kitten; and voices that are copied from a
recording by ZipVoice and Pocket, where their speaker has agreed.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from airos_edge.engines.ipa import ipa
from airos_edge.engines.settings import CloneSettings, TtsSettings
from airos_edge.engines.sherpa import (
    NAME,
    Manner,
    Plan,
    clone_of,
    generate,
    load_voice,
    plan_of,
    say_once,
)
from airos_edge.engines.sherpa_kinds import kind_of
from airos_edge.engines.sherpa_parts import parts
from airos_edge.engines.sherpa_trial import tried
from airos_edge.engines.sherpa_voices import Voice, voices_of
from airos_edge.engines.spread import Piece, spread
from airos_edge.engines.thread import Lane, Stopped, Take
from airos_edge.engines.wanted import WantedTts
from airos_edge.errors import EngineError, EngineUnavailable, PromptError
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ports import Place, Speaking, Speech, Tts

log = logging.getLogger(__name__)

NOTHING_MS = 5
"""The silence for what a voice makes no sound of: "…"."""
MOST_LOADED = 2
"""Models in memory at once: one for each of two languages. The largest take 400 MB."""
LONGEST_S, SHORTEST_S = 30, 1
"""Of a recording whose voice is copied."""

Samples = np.typing.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Loaded:
    plan: Plan
    library: Any
    rate_hz: int


class SherpaTts:
    """Its models run in one thread, one sentence at a time. `runs_on` is where the last one does."""

    name = NAME
    place = Place.LOCAL
    pause_ms = 200
    """Between two sentences. The models end theirs with a little silence of their own."""

    def __init__(self, voices: Sequence[Voice], settings: TtsSettings) -> None:
        self.runs_on = "cpu"
        self._voices = voices
        self._settings = settings
        self._clones: dict[str, Any] = {}
        self._loaded: dict[str, Loaded] = {}
        self._lane = Lane(NAME)

    def voices(self, language: str) -> dict[str, str]:
        """Their names, with the language that each speaks: first those of this language."""
        first = sorted(self._voices, key=lambda voice: not voice.speaks(language))
        return {voice.name: voice.language for voice in first}

    async def speak(self, text: AsyncIterator[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        """Each sentence as the model makes it, with the words that begin in each piece.

        Raises EngineError, also for a voice that is not there. Cancelling or closing stops the model at
        the next piece that it makes: where that is a whole sentence, it is made and thrown away.
        """
        voice = self.voice_for(how)
        loaded = await self._lane.call(partial(self.load, voice))
        speed = self._settings.rate * how.speed
        manner = Manner(voice.speaker, speed, self._clones.get(voice.name))
        async for sentence in text:
            sounds = self._sounds(loaded, voice, sentence, manner)
            async with aclosing(spread(sentence, sounds, speed)) as pieces:
                async for piece in pieces:
                    yield piece

    async def aclose(self) -> None:
        """What is being said is finished and discarded."""
        self._lane.close()

    def load(self, voice: Voice) -> Loaded:
        """Its model, in memory from now on. Blocks. Raises EngineUnavailable."""
        name = voice.model.name
        loaded = self._loaded.pop(name, None)
        if loaded is None:
            while len(self._loaded) >= MOST_LOADED:
                self._loaded.pop(next(iter(self._loaded)))
            loaded = _load(voice, self._settings.device)
        self._loaded[name] = loaded
        self.runs_on = loaded.plan.provider
        if voice.is_clone and voice.name not in self._clones:
            clone = self._settings.clones[voice.name]
            samples = _recording(voice.name, clone, loaded.rate_hz)
            self._clones[voice.name] = clone_of(samples, loaded.rate_hz, clone.text)
        return loaded

    def voice_for(self, how: Speaking) -> Voice:
        """Raises EngineError for one that is not there."""
        wanted = how.voice or self._settings.voice
        if wanted is not None:
            return named(self._voices, wanted)
        spoken = (voice for voice in self._voices if voice.speaks(how.language))
        return next(spoken, self._voices[0])

    async def _sounds(
        self, loaded: Loaded, voice: Voice, sentence: str, manner: Manner
    ) -> AsyncGenerator[Piece, None]:
        def making(take: Take[tuple[Samples, float]], stopped: Stopped) -> None:
            before = 0
            for part in parts(sentence):
                begin, length = before / len(sentence), len(part) / len(sentence)

                def called(samples: Samples, share: float) -> int:
                    return int(take((samples, begin + share * length)))  # noqa: B023 - called at once

                if not stopped():
                    _say(loaded, voice, part, manner, called)
                before += len(part)

        said = 0.0
        try:
            async with aclosing(self._lane.pushed(making)) as made:
                async for samples, said in made:
                    yield AudioChunk(_pcm(samples), loaded.rate_hz), said
        except EngineError:
            raise
        except Exception as error:  # boundary: what the library throws
            raise EngineError(NAME, f"speaking failed: {error}") from error
        if not said:
            yield AudioChunk.silence(NOTHING_MS, loaded.rate_hz), 1.0


def _say(
    loaded: Loaded, voice: Voice, text: str, manner: Manner, take: Callable[[Samples, float], int]
) -> None:
    if voice.ipa is None:
        generate(loaded.library, text, manner, take)
        return
    sounds = [part for sentence in ipa(text, voice.ipa) for part in parts(sentence)]
    if sounds:
        generate(loaded.library, text, manner, take, sounds)


def named(voices: Sequence[Voice], name: str) -> Voice:
    """Raises EngineError."""
    found = next((voice for voice in voices if voice.name == name), None)
    if found is None:
        known = ", ".join(voice.name for voice in voices[:8])
        what = f"there is no voice {name!r}; there are {known}"
        raise PromptError(NAME, what, "invalid_value")
    return found


def open_tts(wanted: WantedTts) -> Tts:
    """Blocks while the model of the first voice is loaded, and the first time tried in a process of its
    own. Raises EngineUnavailable for what is no model, or none that sherpa-onnx can run."""
    models = {model.name: model for model in (wanted.model, *wanted.models) if model is not None}
    if not models:
        raise EngineUnavailable(NAME, "has no model: `airos models list` shows those there are")
    settings = wanted.settings
    voices: list[Voice] = []
    for model in models.values():
        try:
            found = kind_of(model.path, "tts", model.kind, is_quantized=settings.device != "cuda")
        except EngineUnavailable as error:
            if model is wanted.model or len(models) == 1:
                raise
            log.warning("%s", error)
            continue
        voices += voices_of(model, found, [*settings.clones], wanted.language)
    if not voices:
        raise EngineUnavailable(NAME, "this model copies voices: name one in tts.clones")
    if settings.clones and not any(voice.is_clone for voice in voices):
        log.warning("tts.clones: no model of sherpa on this box copies voices; ZipVoice's do")
    tts = SherpaTts(voices, settings)
    try:
        first = tts.voice_for(Speaking(language=wanted.language))
    except EngineError as error:
        raise EngineUnavailable(NAME, str(error).removeprefix(f"{NAME}: ")) from error
    tts.load(first)
    return tts


def _load(voice: Voice, device: str) -> Loaded:
    plan = plan_of(voice.found, device)
    if voice.ipa:
        plan = replace(plan, options={"ipa": voice.ipa})
    plan = tried(plan, voice.model.path)
    library = load_voice(plan)
    say_once(plan, library)
    return Loaded(plan, library, library.sample_rate)


def _recording(name: str, clone: CloneSettings, rate_hz: int) -> Samples:
    """At the model's rate: the library would make it that for every sentence.

    Raises EngineUnavailable for a recording that cannot be read, or is of no use.
    """
    import soundfile
    import soxr

    path = Path(clone.reference).expanduser()
    where = f"tts.clones.{name}.reference: {path}"
    try:
        samples, its_rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, RuntimeError) as error:
        raise EngineUnavailable(NAME, f"{where}: cannot be read: {error}") from error
    long_s = len(samples) / its_rate_hz
    if not SHORTEST_S <= long_s <= LONGEST_S:
        wants = f"wants {SHORTEST_S} to {LONGEST_S} s"
        raise EngineUnavailable(NAME, f"{where}: is {long_s:.1f} s long, {wants}")
    at_rate: Samples = soxr.resample(samples.mean(axis=1), its_rate_hz, rate_hz)
    return at_rate


def _pcm(samples: Samples) -> bytes:
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()

"""A voice that takes time: what it has said once is kept, and the next sentence is made while one is heard."""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

from airos_edge.engines.choosing import Choice
from airos_edge.engines.speech_store import SpeechStore
from airos_edge.engines.wanted import WantedTts
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.flow import chain, only
from airos_edge.voice.ports import Speaking, Speech, Tts

LONGEST = 200
"""Characters of a sentence that is kept: what is longer is hardly ever said twice."""
AHEAD_MS = 4000.0
"""Speech that is made before it is wanted. A sentence is begun when so much less than this is left to be
heard; a voice that takes longer for it than that is too slow for its box."""


class KeptTts:
    """Get it from `kept`. What else the voice tells of itself (its voices, where it runs), it tells too."""

    def __init__(self, bare: Tts, store: SpeechStore, voice_key: str) -> None:
        """`voice_key`: differs when the same text would sound otherwise."""
        self.bare = bare
        """The voice itself, which keeps nothing."""
        self.name, self.place = bare.name, bare.place
        self._store = store
        self._voice_key = voice_key

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bare, name)

    async def speak(self, text: AsyncIterator[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        """Sentence by sentence, each taken when the voice is ready for it; one that was said before comes as it
        was then, at once. What is cut off is not kept. Raises EngineError; closing or cancelling ends the voice.
        """
        made = self._sentences(text, how)
        async with chain(made, name=self.name, ahead=AHEAD_MS, weigh=_ms_of) as speech:
            async for piece in speech:
                yield piece

    async def make_ahead(self, sentence: str, how: Speaking) -> None:
        """Makes it, unless it is kept. Raises EngineError; cancelled, it has made nothing."""
        async with aclosing(self._said(sentence, how)) as pieces:
            async for _ in pieces:
                pass

    async def _sentences(
        self, sentences: AsyncIterator[str], how: Speaking
    ) -> AsyncGenerator[Speech, None]:
        pause_ms = 0.0
        async for sentence in sentences:
            async with aclosing(self._said(sentence, how)) as pieces:
                async for piece in pieces:
                    if pause_ms:
                        yield Speech(AudioChunk.silence(pause_ms, piece.chunk.rate_hz))
                    pause_ms = 0.0
                    yield piece
            pause_ms = getattr(self.bare, "pause_ms", 0.0)

    async def _said(self, sentence: str, how: Speaking) -> AsyncGenerator[Speech, None]:
        """Space around it is no part of what is kept: its pieces' texts are the sentence all the same."""
        text = sentence.strip()
        if 0 < len(text) <= LONGEST:
            made = self._kept_or_made(text, how)
            before, _, after = sentence.partition(text)
        else:
            made = self.bare.speak(only(sentence), how)
            before = after = ""
        rate_hz: int | None = None
        async with aclosing(made) as pieces:
            async for piece in pieces:
                rate_hz = piece.chunk.rate_hz
                yield Speech(piece.chunk, before + piece.text) if before else piece
                before = ""
        if after and rate_hz is not None:
            yield Speech(AudioChunk(b"", rate_hz), after)

    async def _kept_or_made(self, text: str, how: Speaking) -> AsyncGenerator[Speech, None]:
        store, key = self._store, self._key(text, how)
        said = store.at_hand(key) or await asyncio.to_thread(store.read, key)
        if said is not None:
            store.keep_at_hand(key, said)
            for piece in said:
                yield piece
            await asyncio.to_thread(store.touch, key)
            return
        made: list[Speech] = []
        async with aclosing(self.bare.speak(only(text), how)) as pieces:
            async for piece in pieces:
                made.append(piece)
                yield piece
        if "".join(piece.text for piece in made) == text:
            store.keep_at_hand(key, tuple(made))
            await asyncio.to_thread(store.write, key, tuple(made))

    def _key(self, text: str, how: Speaking) -> str:
        told = json.dumps([self._voice_key, how.voice, how.language, how.speed, text])
        return hashlib.sha256(told.encode()).hexdigest()[:40]


def kept(tts: Tts, choice: Choice, wanted: WantedTts, directory: Path) -> Tts:
    """The voice, with what it says kept in the directory; itself, if it is made as fast as it is read, or if
    nobody can know whether it is still the same voice: what a Wyoming service speaks with is for it to say."""
    is_openai = (choice.engine or "").startswith(("http://", "https://"))
    if choice.model is None and not is_openai:
        return tts
    store = SpeechStore(directory, wanted.settings.cache_mb * 1024 * 1024)
    return KeptTts(tts, store, voice_key(choice, wanted))


def voice_key(choice: Choice, wanted: WantedTts) -> str:
    """All that its sound depends on but the text and how that is to be spoken. A file, of a model or of a voice
    that is copied, counts by its size and when it was written."""
    settings = wanted.settings
    models = (choice.model, *wanted.models)
    paths = [*dict.fromkeys(model.path for model in models if model is not None)]
    paths += (Path(clone.reference).expanduser() for clone in settings.clones.values())
    told: list[Any] = [
        choice.engine,
        wanted.language,
        settings.model,
        settings.voice,
        settings.rate,
    ]
    told += [[name, clone.text] for name, clone in settings.clones.items()]
    return json.dumps([*told, [_fingerprint(path) for path in paths]])


def _fingerprint(path: Path) -> list[Any]:
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    told: list[Any] = [str(path)]
    with suppress(OSError):  # one that goes meanwhile makes it another model
        for file in files:
            stat = file.stat()
            told.append((file.name, stat.st_size, stat.st_mtime_ns))
    return told


def _ms_of(speech: Speech) -> float:
    return speech.chunk.ms

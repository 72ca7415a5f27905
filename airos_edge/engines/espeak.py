"""espeak-ng's shared library, from the `espeakng-loader` wheel: speech with word positions, and phonemes.

The functions and constants are those of espeak-ng's `speak_lib.h`. The library has one state for
the whole process, so a lock guards it; each call sets voice and rate anew.
"""

import ctypes
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache

from airos_edge.errors import EngineError, EngineUnavailable, PromptError

AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_DONT_EXIT = 0x8000
CHARS_UTF8 = 1
EVENT_LIST_TERMINATED, EVENT_WORD = 0, 1
PARAMETER_RATE = 1
PHONEMES_ASCII, PHONEMES_IPA = 0, 2
BUFFER_MS = 60
USUAL_RATE_WPM = 160


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word begins at `sample`; `start` and `end` are its place in the text, in characters."""

    sample: int
    start: int
    end: int


Take = Callable[[bytes, list[Word]], bool]
"""Gets 60 ms of PCM and the words that begin in it, in the thread that synthesises. False: no more."""


@dataclass(slots=True)
class Recording:
    """What one text sounds like: 16-bit mono PCM at `rate_hz`, and where its words begin."""

    rate_hz: int
    pcm: bytearray = field(default_factory=bytearray)
    words: list[Word] = field(default_factory=list)


class Espeak:
    """The library. Get it from `load`; there is one per process."""

    def __init__(self, library: ctypes.CDLL, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._library = library
        self._lock = threading.Lock()
        self._take: Take = lambda pcm, words: False
        self._callback = _Callback(self._receive)
        library.espeak_SetSynthCallback(self._callback)
        self._voices = _voices(library)
        library.espeak_TextToPhonemes.restype = ctypes.c_char_p

    @property
    def languages(self) -> Collection[str]:
        """Those that it speaks, by their tags, each of which is a voice's name too."""
        return self._voices.keys()

    def say(self, text: str, voice: str, rate_wpm: int = USUAL_RATE_WPM) -> Recording:
        """The whole text; about 0.6 ms of work for each second of speech. Blocks; any thread may call.

        Raises EngineError for a voice that espeak-ng does not have.
        """
        recording = Recording(self.rate_hz)

        def take(pcm: bytes, words: list[Word]) -> bool:
            recording.pcm += pcm
            recording.words += words
            return True

        self.stream(text, voice, rate_wpm, take)
        return recording

    def stream(self, text: str, voice: str, rate_wpm: int, take: Take) -> None:
        """As `say`, but gives each 60 ms to `take` as soon as they are made, and ends when it says so."""
        data = text.encode()
        with self._lock:
            self._set_voice(voice)
            self._library.espeak_SetParameter(PARAMETER_RATE, rate_wpm, 0)
            self._take = take
            status = self._library.espeak_Synth(
                data, len(data) + 1, 0, 1, 0, CHARS_UTF8, None, None
            )
        if status != 0:
            raise EngineError("espeak", f"synthesis failed with status {status}")

    def phonemes(self, word: str, voice: str) -> str:
        """The word in espeak-ng's own phoneme letters. Raises EngineError as `say` does."""
        with self._lock:
            self._set_voice(voice)
            text = ctypes.c_char_p(word.encode())
            spoken = self._library.espeak_TextToPhonemes(
                ctypes.byref(text), CHARS_UTF8, PHONEMES_ASCII
            )
        return (spoken or b"").decode()

    def ipa(self, text: str, voice: str) -> str:
        """All of the text in the letters of the IPA, a space where it made a pause. Raises EngineError as
        `say` does."""
        clauses = []
        with self._lock:
            self._set_voice(voice)
            rest = ctypes.c_char_p(text.encode())
            while rest.value:  # it reads a clause at a time; at the end it leaves a null pointer
                spoken = self._library.espeak_TextToPhonemes(
                    ctypes.byref(rest), CHARS_UTF8, PHONEMES_IPA
                )
                clauses.append((spoken or b"").decode())
        return " ".join(clause for clause in clauses if clause)

    def _set_voice(self, voice: str) -> None:
        """`voice` is a language ("en-gb", or "de-at" where "de" is the nearest), with or without a
        variant ("en-us+f3"). espeak-ng crashes if it speaks before a voice was found."""
        language, plus, variant = voice.partition("+")
        tag = language.lower()
        identifier = self._voices.get(tag) or self._voices.get(tag.partition("-")[0])
        if identifier is None:
            near = get_close_matches(tag, self._voices, n=3) or ["en-us", "en-gb", "de", "fr"]
            what = f"there is no voice {voice!r}; try {' or '.join(near)}"
            raise PromptError("espeak", what, "invalid_value")
        self._library.espeak_SetVoiceByName(f"{identifier}{plus}{variant}".encode())

    def _receive(
        self,
        wav: "ctypes._Pointer[ctypes.c_short]",
        samples: int,
        events: "ctypes._Pointer[_Event]",
    ) -> int:
        words = []
        place = 0
        while (event := events[place]).type != EVENT_LIST_TERMINATED:
            if event.type == EVENT_WORD:
                start = event.text_position - 1
                words.append(Word(event.sample, start, start + event.length))
            place += 1
        pcm = ctypes.string_at(wav, samples * 2) if wav and samples > 0 else b""
        return 0 if self._take(pcm, words) else 1


def _voices(library: ctypes.CDLL) -> dict[str, str]:
    """Each language that is known, and the file of its best voice."""
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    listed = library.espeak_ListVoices(None)
    found: list[tuple[int, str, str]] = []
    place = 0
    while listed[place]:
        voice = listed[place].contents
        # A byte of priority before each language, least first; a zero ends them.
        at = voice.languages
        while priority := ctypes.string_at(at, 1)[0]:
            language = ctypes.string_at(at + 1)
            found.append((priority, language.decode(), voice.identifier.decode()))
            at += len(language) + 2
        place += 1
    return {language: identifier for _, language, identifier in sorted(found, reverse=True)}


_loading = threading.Lock()
"""Engines are opened beside each other, several of which want espeak-ng: initialised twice at once, it
writes over its own memory."""


def load() -> Espeak:
    """The process's espeak-ng; the first call loads it. Any thread may call. Raises EngineUnavailable."""
    with _loading:
        return _loaded()


@lru_cache(maxsize=1)
def _loaded() -> Espeak:
    try:
        import espeakng_loader

        library = ctypes.CDLL(espeakng_loader.get_library_path())
        data_path = espeakng_loader.get_data_path().encode()
    except (ImportError, OSError, RuntimeError) as error:
        raise EngineUnavailable("espeak", f"its library cannot be loaded: {error}") from error
    rate_hz = library.espeak_Initialize(
        AUDIO_OUTPUT_SYNCHRONOUS, BUFFER_MS, data_path, INITIALIZE_DONT_EXIT
    )
    if rate_hz <= 0:
        raise EngineUnavailable("espeak", "its data cannot be read")
    return Espeak(library, rate_hz)

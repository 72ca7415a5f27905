"""What the core asks of the world, and the values that pass between them.

An engine is any object of one of these shapes; none has to inherit. A port that works for a
while is an async generator: cancelling or closing it ends the work and frees what it holds.

What an engine may have besides, and is asked for where it matters:

* `async def aclose()`: lets go of what it holds, once nobody borrows it any more.
* `runs_on: str`: where a model computes, as "cpu, int8", for the log and `airos doctor`.
* `voices(language) -> dict[name, language]`, of a voice: what can be asked for by name, the usual one first.
* `pause_ms: float`, of a voice: the silence that belongs between two of its sentences.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.history import Item
from airos_edge.voice.place import Place as Place
from airos_edge.voice.served import Served, ServedTool
from airos_edge.voice.tags import is_same, nearest
from airos_edge.voice.utterance import Judgement, Utterance

# ---- listening: one object per stream, fed in step with the microphone --------------------------


@dataclass(frozen=True, slots=True)
class WakeScore:
    """How much the sound up to `sample` of the stream ends like a wake word: 0 to 1."""

    word: str
    sample: int
    score: float
    enough: float = 0.7
    """The score that counts as the word, of its model, where the owner sets none."""


class Wake(Protocol):
    """One that holds something for its stream has an `async aclose` too."""

    def feed(self, chunk: AudioChunk) -> list[WakeScore]:
        """Takes 16 kHz audio of any length; gives every score that was computed, in their order.

        What counts as the word is for `waking.py` to say.
        """


class Vad(Protocol):
    frame_ms: int

    def feed(self, chunk: AudioChunk) -> list[float]:
        """Takes 16 kHz audio of any length; gives the speech probability of each frame it completes."""


# ---- recognising --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hints:
    """`expecting`: phrases that may answer what the box has just asked, besides all that is always said."""

    language: str = "en"
    expecting: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    """Those that may be spoken, `language` first, for a recogniser that can tell them apart; none given:
    only that one."""
    names: tuple[str, ...] = ()
    """What is likely spoken of: how the house's areas and devices are called."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """The text up to now (not a delta). The last one yielded has `final` set.

    A final text of "" means that nothing that was meant for us was said. `judgement` is what the
    recogniser makes of the words so far; a recogniser that cannot tell leaves it None.

    Of a final: `alternatives` is what else was nearly as likely, likeliest first, where it cannot tell
    which was said; not `sure`: probably this, but not surely enough for what is hard to undo. `certainty`
    is the probability, 0 to 1, that these words, or those that were not believed, were said and meant.
    `language` is the one that was heard ("de"), of a recogniser that tells it. `went` is how far the recording
    went to be heard so, of a recogniser that is made of several; None: to its `place`.
    """

    text: str
    final: bool = False
    judgement: Judgement | None = None
    alternatives: tuple[str, ...] = ()
    sure: bool = True
    certainty: float | None = None
    language: str | None = None
    went: Place | None = None


class Asr(Protocol):
    name: str
    place: Place

    def transcribe(self, heard: Utterance, hints: Hints) -> AsyncGenerator[Transcript, None]:
        """Partials while the speaker speaks, then one final.

        A recording that a wake word opened (`heard.wake_word`) may begin anywhere in that word,
        which is no part of the text. Raises EngineError.
        """


# ---- answering ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Speaking:
    """How a reply is spoken. `speed` 1.0 is the voice's own."""

    voice: str | None = None
    language: str = "en"
    speed: float = 1.0


ESCALATE = "escalate"
"""The call of a responder that cannot answer; nobody hears of it."""


@dataclass(frozen=True, slots=True)
class Truncation:
    """What becomes of a conversation that is longer than who is asked can read: the oldest of it is left
    out until `retention` of what can be read remains, or if there is none, the reply fails.

    `most_tokens`: what may be read of it at all, besides instructions and tools.
    """

    retention: float | None = 0.8
    most_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """All a reply depends on, as a value: a draft is adopted if its prompt equals the final one."""

    items: tuple[Item, ...] = ()
    instructions: str | None = None
    tools: tuple[Mapping[str, Any], ...] = ()
    """Those that the client makes the calls of."""
    served: tuple[Served, ...] = ()
    tool_choice: str | Mapping[str, Any] = "auto"
    speaking: Speaking | None = None
    """None: the reply is text."""
    languages: tuple[str, ...] = ()
    """Others than that of `speaking`, in which an answer is spoken when it is in one of them."""
    reach: Place = Place.LOCAL
    place: str | None = None
    """The area of the house where the question was asked."""
    max_tokens: int | None = None
    parallel_calls: bool = True
    """False: of what it calls, only the first call counts."""
    truncation: Truncation = Truncation()
    responder: str | None = None
    """Who is to answer, by name; None: whoever the router chooses."""
    safe_only: bool = False
    """Whoever asks is not known well enough for what is not to be done by mistake."""

    @property
    def question(self) -> str:
        """What the user said last, or "" if it has been answered, or nothing was said, since then."""
        asked = self.asked
        return (asked.text or "") if asked is not None else ""

    @property
    def asked(self) -> Item | None:
        """The user's item that is to be answered. An answer of which no word was heard is none."""
        for item in reversed(self.items):
            is_nothing = item.kind == "message" and item.role == "assistant" and not item.text
            if item.role != "system" and not is_nothing:
                return item if item.role == "user" else None
        return None

    @property
    def question_language(self) -> str | None:
        """What the user has said last was heard in this language; None: who heard it cannot tell, or it was
        typed."""
        said = (item.language for item in reversed(self.items) if item.role == "user")
        return next(said, None)

    def speaking_in(self, language: str | None) -> Speaking | None:
        """How words of a language are spoken: with its own voice, if it is another one that there is one for."""
        if self.speaking is None or language is None or is_same(language, self.speaking.language):
            return self.speaking
        other = nearest(language, self.languages)
        return self.speaking if other is None else Speaking(None, other, self.speaking.speed)

    @property
    def may_escalate(self) -> bool:
        """Whether somebody else could be asked instead, by a call of `ESCALATE`."""
        return any(tool.get("name") == ESCALATE for tool in self.tools)

    @property
    def was_spoken(self) -> bool:
        """Whether what the user said last was sound that a recogniser heard."""
        said = (item.spoken for item in reversed(self.items) if item.role == "user")
        return next(said, False)

    @property
    def went(self) -> Place | None:
        """How far the sound of what the user said last went to be heard, where its transcript tells it."""
        said = (item.went for item in reversed(self.items) if item.role == "user")
        return next(said, None)


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer, to be joined to the pieces before it as it stands. `language`: of its words, where
    who made them knows."""

    text: str
    language: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A tool to be called. Yielded, it ends the reply and is the client's to make; given to `act`, it is made.

    `waits_for_yes`: it is the box's own to make, once somebody has said yes to it. `served`: it is a tool
    that the client asked for; it ends the reply all the same, which makes it before it ends.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    call_id: str = ""
    waits_for_yes: bool = False
    served: ServedTool | None = None

    @classmethod
    def of(cls, item: Item) -> "Call":
        """What an item that this box has made says is, or may be, called."""
        return cls(item.name or "", json.loads(item.arguments or "{}"), item.call_id or "")


class Left(Enum):
    """How far anything of a turn went."""

    NOTHING = "nothing"
    LAN = "lan"
    INTERNET = "internet"

    @classmethod
    def of(cls, furthest: Place) -> "Left":
        """Where the furthest of what was asked runs says how far it went."""
        return (cls.NOTHING, cls.LAN, cls.INTERNET)[furthest]


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a reply, and who made it. `why` is "stop" or "max_tokens".

    `expects`: the reply was a question, and these phrases may answer it. `declined`: it was a no, as who
    made it does not do, or know, what was asked.
    """

    tier: str
    why: str = "stop"
    expects: tuple[str, ...] = ()
    declined: bool = False
    intent: str | None = None
    slots: Mapping[str, Any] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    """Those of the input that were read before."""


class Act(Protocol):
    """What a reply may do to the world, and only through this."""

    async def __call__(self, call: Call) -> str:
        """Waits until the turn is committed, makes the call, gives its result as text.

        Raises EngineError when the tool fails. Cancelling before the commit leaves no effect.
        """

    async def committed(self) -> None:
        """Waits until the turn is committed: for a responder whose question leaves the LAN."""

    def goes(self, place: Place) -> None:
        """What is said next goes so far, and counts as having left even if nothing comes of it."""


Tools = Callable[[Call], Awaitable[str]]
"""The house and the tool servers: makes a call, gives its result. Raises EngineError."""


class Responder(Protocol):
    name: str
    place: Place

    def reply(self, prompt: Prompt, act: Act) -> AsyncGenerator[Text | Call | Done, None]:
        """Raises EngineError. Ends with one Done."""


# ---- speaking -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Speech:
    """Audio in the voice's own rate, and the part of the text that begins to be said in it.

    Joined over a reply, the texts give what is said, spaces included.
    """

    chunk: AudioChunk
    text: str = ""


class Tts(Protocol):
    name: str
    place: Place

    def speak(self, text: AsyncIterator[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        """Takes sentences as they come, gives speech as it is made. Raises EngineError.

        One that is made of several, not all of them in one place, has a method `telling` too: given who is
        to be told how far the text goes, each time before it goes there, it gives a voice that tells it.
        """


@dataclass(frozen=True, slots=True)
class Says:
    """Which reply is speaking, and which item of history its speech becomes."""

    reply_id: str
    item_id: str
    output_index: int = 0


class Mouth(Protocol):
    """Where the speech of one reply goes. Resamples and paces; dead once hushed."""

    async def play(self, speech: Speech) -> None:
        """Waits while more than the mouth's lead is not yet heard. After `hush`: does nothing."""

    async def drain(self) -> int:
        """Returns when all that was played has been heard; milliseconds of this reply."""

    def hush(self) -> int:
        """Silence at once; never waits. Milliseconds of this reply that were heard."""

    def duck(self, db: float) -> None:
        """Play on, quieter by `db`; 0 is the usual loudness."""


Sayable = Callable[[AsyncIterator[str], str], AsyncGenerator[str, None]]
"""Text as it is written in a language to sentences as they are spoken, each as soon as it has ended. Joined,
they give what is said, spaces included."""
APOLOGY = "Sorry, something went wrong."


OpenMouth = Callable[[Says], Mouth]
"""A loudspeaker: gives each reply a mouth of its own."""


# ---- engines as a set ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Engines:
    """What one turn works with. Leased: a swap changes the next turn and never the running one."""

    asr: Asr | None
    responder: Responder
    tts: Tts | None
    tools: Tools
    sayable: Sayable
    apology: Callable[[str], str] = lambda language: APOLOGY
    """What is said, in a language, of a reply that has failed."""
    names: tuple[str, ...] = ()
    """Those of `Hints`: told with each recording, so that no model is loaded anew for a lamp."""

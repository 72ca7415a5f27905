"""A prompt to an answer that was heard: all that barge-in cancels."""

import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing

from airos_edge.errors import AirosError, EngineError, PromptError, ToolError
from airos_edge.voice.events import Outcome
from airos_edge.voice.floor import Floor, FloorMouth, Rank
from airos_edge.voice.flow import Stage, chain, patiently
from airos_edge.voice.history import Fault
from airos_edge.voice.ports import (
    Call,
    Done,
    Engines,
    Place,
    Sayable,
    Says,
    Speaking,
    Speech,
    Text,
    Tools,
    Tts,
)
from airos_edge.voice.reply import Reply

log = logging.getLogger(__name__)

STALL_LIMIT_S = 20.0
"""A responder that says nothing for so long, once the turn is committed, and asks nobody else, has failed."""
SPEECH_AHEAD_MS = 400.0
"""Speech made before the mouth wants it: enough that a slow sentence is not heard as a gap."""


async def respond(reply: Reply, engines: Engines, floor: Floor) -> None:
    """Makes the reply and, from its commit on, says it; returns when it has been heard and ended.

    Before the commit only thinking is done: every effect goes through `reply`, the floor or `act`,
    which wait for it. A responder that fails is apologised for where the reply is spoken. Raises
    nothing but cancelling, which ends every engine at once; the reply is then ended by who cancelled.
    """
    responder, speaking = engines.responder, reply.prompt.speaking
    act = GatedTools(engines.tools, reply)
    reply.goes(responder.place)
    if reply.prompt.was_spoken and engines.asr is not None:
        went = reply.prompt.went
        reply.goes(engines.asr.place if went is None else went)
    try:
        async with chain(responder.reply(reply.prompt, act), name=responder.name) as parts:
            in_time = patiently(parts, STALL_LIMIT_S, responder.name, reply.waits_since)
            if speaking is None:
                await _write(_texts(in_time, reply), reply)
            elif engines.tts is None:  # what it does is done all the same
                await _write(_texts(in_time, reply), reply)
                raise no_voice()
            else:
                texts = _texts(in_time, reply, engines.apology)
                await _speak(texts, reply, engines.sayable, engines.tts, floor)
    except AirosError as error:
        reply.failure = reply.failure or error
    await reply.committed.wait()
    if reply.failure is None:
        while reply.calls:
            call = reply.calls.pop(0)
            if call.served is None or call.waits_for_yes:
                reply.call(call)
            else:
                await _make(call, call.served.place, reply, act)
    reply.stamp("done")
    if reply.failure is not None:
        log.warning("The reply failed: %s", reply.failure)
        reply.end(failed(reply.failure))
    elif reply.is_cut_short:
        reply.end(Outcome("incomplete", reason="max_output_tokens"))
    else:
        reply.end(Outcome("completed"))


def failed(why: AirosError) -> Outcome:
    code = why.code if isinstance(why, PromptError) else None
    return Outcome("failed", error=str(why), error_code=code)


def no_voice() -> EngineError:
    return EngineError("tts", "there is no voice; `airos check` says why")


class GatedTools:
    """`Act`: what a reply does to the world happens after its commit and before its end, or not at all."""

    def __init__(self, tools: Tools, reply: Reply) -> None:
        self._tools = tools
        self._reply = reply

    async def __call__(self, call: Call) -> str:
        await self.committed()
        return await self._tools(call)

    async def committed(self) -> None:
        await self._reply.committed.wait()
        if self._reply.outcome is not None:
            raise EngineError("act", "the reply has ended")

    def goes(self, place: Place) -> None:
        self._reply.goes(place)


async def _make(call: Call, place: Place, reply: Reply, act: GatedTools) -> None:
    """In front of the client's eyes. Who says what came of it is asked anew, for a reply of its own: that is what
    clients of the Realtime API wait for."""
    reply.begin_call(call)
    try:
        act.goes(place)
        reply.end_call(await act(call))
    except EngineError as error:
        reply.end_call(None, fault_of(error))


def fault_of(error: EngineError) -> Fault:
    if isinstance(error, ToolError):
        return Fault(str(error), error.kind, error.code)
    return Fault(str(error))


async def _texts(
    parts: AsyncGenerator[Text | Call | Done, None],
    reply: Reply,
    apology: Callable[[str], str] | None = None,
) -> AsyncGenerator[str, None]:
    """What the reply says, up to its first call; its calls, its end and its failure are put aside."""
    try:
        async with aclosing(parts):
            async for part in parts:
                match part:
                    case Text(text, language):
                        if not reply.calls:
                            reply.stamp("respond")
                            reply.language = language or reply.language
                            yield text
                    case Call():
                        reply.calls.append(part)
                    case Done():
                        reply.done = part
                        return
    except AirosError as error:
        reply.failure = error
        if apology is not None and (how := reply.prompt.speaking_in(reply.language)) is not None:
            sorry = apology(how.language)
            yield f"\n{sorry}" if "respond" in reply.stamps else sorry


async def _write(texts: AsyncIterable[str], reply: Reply) -> None:
    async with chain(texts, name="writing") as written:
        await reply.committed.wait()
        async for text in written:
            reply.say(text)
    reply.end_message()


async def _speak(
    texts: AsyncGenerator[str, None],
    reply: Reply,
    sayable: Sayable,
    tts: Tts,
    floor: Floor,
) -> None:
    """In a voice that is chosen when there is something to say: then it is known in which language."""
    if tts.place is Place.CLOUD:
        await reply.committed.wait()  # a draft's words do not leave the LAN
    async with aclosing(texts):
        first_text = await anext(texts, None)
        speaking = reply.prompt.speaking_in(reply.language)
        if first_text is None or speaking is None:
            return
        stages = _stages(reply, sayable, tts, speaking)
        async with (
            chain(_all(first_text, texts), *stages, name=tts.name) as speech,
            aclosing(patiently(speech, 2 * STALL_LIMIT_S, tts.name, reply.waits_since)) as pieces,
        ):
            await reply.committed.wait()
            await _play_all(pieces, reply, floor)


def _stages(reply: Reply, sayable: Sayable, tts: Tts, how: Speaking) -> tuple[Stage, Stage]:
    """Text to sentences, sentences to speech; noted is how far they go. A voice of several tells it itself."""
    telling = getattr(tts, "telling", None)
    voice = tts if telling is None else telling(reply.goes)

    def sentences(text: AsyncIterator[str]) -> AsyncGenerator[str, None]:
        made = sayable(text, how.language)
        return made if telling is not None else _going(made, reply, tts.place)

    speak = Stage(lambda text: voice.speak(text, how), SPEECH_AHEAD_MS, _ms_of)
    return Stage(sentences, ahead=1), speak


async def _play_all(pieces: AsyncGenerator[Speech, None], reply: Reply, floor: Floor) -> None:
    first = await anext(pieces, None)
    if first is None:
        return
    reply.stamp("speak")
    says = Says(reply.id, reply.begin_message(), reply.output_index)
    async with floor.take(Rank.ANSWER, says) as mouth:
        reply.mouth = mouth
        try:
            await _play(first, reply, mouth)
            async for piece in pieces:
                await _play(piece, reply, mouth)
        except AirosError:  # a voice that fails has said what is on its way
            await mouth.drain()
            raise
        await mouth.drain()
    reply.end_message()


async def _all(first: str, texts: AsyncIterable[str]) -> AsyncGenerator[str, None]:
    yield first
    async for text in texts:
        yield text


async def _going(
    sentences: AsyncGenerator[str, None], reply: Reply, place: Place
) -> AsyncGenerator[str, None]:
    """The sentences, noted as going where they are spoken."""
    async with aclosing(sentences):
        async for sentence in sentences:
            reply.goes(place)
            yield sentence


async def _play(piece: Speech, reply: Reply, mouth: FloorMouth) -> None:
    reply.say(piece.text, piece.chunk)
    await mouth.play(piece)


def _ms_of(speech: Speech) -> float:
    return speech.chunk.ms

"""Answers from elsewhere: a Wyoming `handle` or `intent` service, such as another Airos."""

from collections.abc import AsyncGenerator

from wyoming.asr import Transcript

from airos_edge.errors import EngineError
from airos_edge.voice.ports import ESCALATE, Act, Call, Done, Place, Prompt, Responder, Text
from airos_edge.wyoming.client import connect
from airos_edge.wyoming.frames import text_of


class WyomingResponder:
    def __init__(self, name: str, url: str, place: Place) -> None:
        self.name = name
        self.place = place
        self._url = url

    async def reply(self, prompt: Prompt, act: Act) -> AsyncGenerator[Text | Call | Done, None]:
        """Asks only the question: what was said before is remembered there, by the conversation's first
        item. It may do what was asked at once, so it is asked when the turn is committed.

        A service that does not handle it passes the question on where it may; else it has declined, with
        a text or without one. Raises EngineError;
        cancelling closes the connection.
        """
        await act.committed()
        conversation = prompt.items[0].id if prompt.items else ""
        said, is_declined = "", False
        async with connect(self._url) as wire:
            context = {"conversation_id": conversation}
            language = prompt.speaking.language if prompt.speaking else None
            await wire.send(Transcript(prompt.question, language=language, context=context))
            async for event in wire:
                match event.type:
                    case "handled-chunk":
                        piece = wire.read(event, text_of)
                        said += piece
                        yield Text(piece)
                    case "handled" | "not-handled" | "not-recognized":
                        is_declined = event.type != "handled"
                        break
                    case "intent":
                        raise EngineError(self.name, "it names an intent and does not answer")
            if is_declined and not said and prompt.may_escalate:
                yield Call(ESCALATE)
                yield Done(self.name)
                return
            whole = event.data.get("text")
            if not said and isinstance(whole, str) and whole:
                yield Text(whole)
        yield Done(self.name, declined=is_declined)


def open_responder(name: str, url: str, place: Place) -> Responder:
    """`name` is what its answers are said to be by. Nothing is connected before it is needed."""
    return WyomingResponder(name, url, place)

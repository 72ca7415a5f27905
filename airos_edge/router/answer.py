"""What a reply has come to, whoever of the tiers made it: where the next one has to go on."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from airos_edge.voice.history import Item
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Call, Done, Prompt, Text

BROKEN_OFF = "It was broken off; it may have been done, or not."
GO_ON = "(Your answer broke off there. Go on with a new sentence, and do not repeat what you have said.)"


class Answer:
    """Items to come after those of the prompt: text that was released, calls that were made.

    What is in them has happened: it is not said or done again by whoever is asked next.
    """

    def __init__(self, prompt: Prompt) -> None:
        self._items = list(prompt.items)
        self._asked = len(self._items)
        self._message = ""
        """What was released of the completion that goes on."""
        self._tokens = (0, 0, 0)

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(self._items)

    @property
    def has_begun(self) -> bool:
        """Something was said or done."""
        return bool(self._message) or len(self._items) > self._asked

    def say(self, text: str, language: str | None = None) -> Text:
        """The next words, to be released."""
        self._message += text
        return Text(text, language)

    def pause(self) -> Iterator[Text]:
        """The end of a line: what was said is spoken now, whenever there is more to say."""
        if self._message and not self._message.endswith("\n"):
            yield self.say("\n")

    def called(self, call: Call, result: str) -> None:
        """A call of ours was made."""
        self._items += made(call, result)

    def end(self, done: Done) -> Done:
        """A completion has ended; as the end of the reply it tells the tokens of all of them."""
        self._end_message()
        read, written, cached = self._tokens
        self._tokens = (
            read + done.input_tokens,
            written + done.output_tokens,
            cached + done.cached_tokens,
        )
        read, written, cached = self._tokens
        return replace(done, input_tokens=read, output_tokens=written, cached_tokens=cached)

    def break_off(self) -> Iterator[Text]:
        """A completion has failed, or given up, wherever it was, and another one follows."""
        yield from self.pause()
        if self._message:
            self._end_message()
            self._items.append(Item(new_id("item"), role="user", text=GO_ON))

    def _end_message(self) -> None:
        if self._message:
            said = Item(new_id("item"), role="assistant", text=self._message.rstrip())
            self._items.append(said)
            self._message = ""


def made(call: Call, result: str) -> tuple[Item, Item]:
    """A call and its result, as a model is told of them."""
    call_id = call.call_id or new_id("call")
    arguments = json.dumps(dict(call.arguments))
    asked = Item(
        new_id("item"), kind="function_call", name=call.name, arguments=arguments, call_id=call_id
    )
    return asked, Item(new_id("item"), kind="function_call_output", call_id=call_id, text=result)


def readable(items: Sequence[Item]) -> tuple[Item, ...]:
    """The items as those who answer know them: a call of a server's tool like any other, and nothing of lists,
    requests and the answers to these."""
    read = list[Item]()
    for item in items:
        if item.kind == "mcp_call":
            read += made(Call.of(item), _result(item))
        elif item.kind not in ("mcp_list_tools", "approval_request", "approval_response"):
            read.append(item)
    return tuple(read)


def _result(call: Item) -> str:
    if call.fault is not None:
        return f"It failed: {call.fault.message}"
    return BROKEN_OFF if call.text is None else call.text

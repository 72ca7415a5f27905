"""What a reply has come to, whoever of the tiers made it: where the next one has to go on."""

import json
from dataclasses import replace

from airos_edge.voice.history import Item
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Call, Done, Prompt, Text

GO_ON = "(Your answer broke off there. Go on with a new sentence, and do not repeat what you have said.)"


class Answer:
    """Items to come after those of the prompt: text that was released, calls that were made.

    What is in them has happened: it is not said or done again by whoever is asked next.
    """

    def __init__(self, prompt: Prompt) -> None:
        self._items = list(prompt.items)
        self._message = ""
        """What was released of the completion that goes on."""
        self._gap = ""
        """What belongs between the text so far and what comes now."""
        self._tokens = (0, 0)

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(self._items)

    def say(self, text: str) -> Text:
        """The next words, to be released."""
        if not self._message and text and not text[0].isspace():
            text = self._gap + text
        self._message += text
        return Text(text)

    def called(self, call: Call, result: str) -> None:
        """A call of ours was made."""
        call_id = call.call_id or new_id("call")
        arguments = json.dumps(dict(call.arguments))
        made = Item(
            new_id("item"),
            kind="function_call",
            name=call.name,
            arguments=arguments,
            call_id=call_id,
        )
        told = Item(new_id("item"), kind="function_call_output", call_id=call_id, text=result)
        self._items += [made, told]

    def end(self, done: Done) -> Done:
        """A completion has ended; as the end of the reply it tells the tokens of all of them."""
        self._end_message(" ")
        spent, written = self._tokens
        self._tokens = (spent + done.input_tokens, written + done.output_tokens)
        return replace(done, input_tokens=self._tokens[0], output_tokens=self._tokens[1])

    def break_off(self) -> None:
        """A completion has failed, or given up, wherever it was."""
        if self._message:
            self._end_message("\n")
            self._items.append(Item(new_id("item"), role="user", text=GO_ON))

    def _end_message(self, gap: str) -> None:
        if self._message:
            self._items.append(Item(new_id("item"), role="assistant", text=self._message))
            self._gap = "" if self._message[-1].isspace() else gap
            self._message = ""

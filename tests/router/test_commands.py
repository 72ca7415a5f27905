"""Commands: one answer to each prompt, effects through `act` only, an honest no."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from airos_edge.errors import EngineError
from airos_edge.router.commands import Commands
from airos_edge.voice.history import Item
from airos_edge.voice.idle import NUDGE
from airos_edge.voice.ports import ESCALATE, Call, Done, Place, Prompt, Text
from tests.phrases import NO_COMMAND, NOT_FROM_THERE, NOT_HEARD, STILL_THERE


@dataclass(frozen=True)
class Sentence:
    intent: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    is_effect: bool = False
    is_grave: bool = False
    language: str = "en"


class House:
    """Understands "lamp on", "lamp?" and "hush"."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str | None]] = []

    def understand(
        self, text: str, place: str | None, language: str | None = None
    ) -> Sentence | None:
        self.heard.append((text, place))
        return {
            "lamp on": Sentence("TurnOn", {"name": "lamp"}, is_effect=True),
            "lamp?": Sentence("GetState", {"name": "lamp"}),
            "hush": Sentence("Stop"),
            "all off": Sentence("TurnOff", is_effect=True, is_grave=True),
        }.get(text)

    def meaning(self, understood: Sentence) -> str:
        return understood.intent

    def answer(self, understood: Sentence, result: str) -> str:
        return {"TurnOn": f"Done: {result}", "GetState": "It is on", "Stop": ""}[understood.intent]

    def sorry(self, understood: Sentence) -> str:
        return f"Sorry, no {understood.intent}"


class Acts:
    def __init__(self, error: EngineError | None = None) -> None:
        self.calls: list[Call] = []
        self._error = error

    async def __call__(self, call: Call) -> str:
        self.calls.append(call)
        if self._error is not None:
            raise self._error
        return "lamp"

    async def committed(self) -> None:
        return


async def reply(
    text: str | None, act: Acts | None = None, house: House | None = None, place: str | None = None
) -> list[Text | Call | Done]:
    items = (Item("item_1", role="user", text=text),) if text is not None else ()
    commands = Commands(house or House())
    return [part async for part in commands.reply(Prompt(items=items, place=place), act or Acts())]


async def test_an_effect_is_made_and_then_answered() -> None:
    act = Acts()
    assert await reply("lamp on", act) == [
        Text("Done: lamp"),
        Done("commands", intent="TurnOn", slots={"name": "lamp"}),
    ]
    assert act.calls == [Call("TurnOn", {"name": "lamp"})]


async def test_a_question_has_no_effect() -> None:
    act = Acts()
    assert await reply("lamp?", act) == [
        Text("It is on"),
        Done("commands", intent="GetState", slots={"name": "lamp"}),
    ]
    assert act.calls == []


async def test_an_effect_that_fails_is_not_said_to_be_done() -> None:
    parts = await reply("lamp on", Acts(EngineError("house", "no answer")))
    assert parts[0] == Text("Sorry, no TurnOn")
    assert isinstance(parts[1], Done)


async def test_what_asks_for_no_answer_gets_none() -> None:
    assert await reply("hush") == [Done("commands", intent="Stop")]


@pytest.mark.parametrize(
    ("text", "answer"),
    [("what is love", NO_COMMAND), ("", NOT_HEARD), ("  \n", NOT_HEARD), (None, NOT_HEARD)],
)
async def test_what_is_no_command_is_told_from_what_was_not_heard(
    text: str | None, answer: str
) -> None:
    assert await reply(text) == [Text(answer), Done("commands", declined=True)]


async def test_to_silence_it_asks_whether_anybody_is_there_unless_somebody_else_can_say_more() -> (
    None
):
    items = (Item("item_1", role="user", text="lamp?"), Item("item_2", role="system", text=NUDGE))
    commands, alone = Commands(House()), Prompt(items=items)
    assert [part async for part in commands.reply(alone, Acts())] == [
        Text(STILL_THERE),
        Done("commands"),
    ]
    among_others = replace(alone, tools=({"name": ESCALATE},))
    parts = [part async for part in commands.reply(among_others, Acts())]
    assert parts == [Call(ESCALATE), Done("commands")]


async def test_who_is_told_to_speak_and_not_asked_is_for_somebody_who_can_make_something_of_it() -> (
    None
):
    greet = (Item("item_1", role="system", text="Greet the user."),)
    commands = Commands(House())
    parts = [
        part
        async for part in commands.reply(Prompt(items=greet, tools=({"name": ESCALATE},)), Acts())
    ]
    assert parts == [Call(ESCALATE), Done("commands")]
    asked = (Item("item_0", role="user", text="lamp?"), *greet)
    parts = [part async for part in commands.reply(Prompt(items=asked), Acts())]
    assert parts[0] == Text("It is on"), "a system message after a question is no question"


async def test_who_is_not_known_well_does_what_is_safe_and_nothing_else() -> None:
    act = Acts()
    for text, wanted in (
        ("all off", [Text(NOT_FROM_THERE), Done("commands", declined=True)]),
        ("lamp?", [Text("It is on"), Done("commands", intent="GetState", slots={"name": "lamp"})]),
    ):
        prompt = Prompt(items=(Item("item_1", role="user", text=text),), safe_only=True)
        assert [part async for part in Commands(House()).reply(prompt, act)] == wanted
    assert act.calls == []


async def test_the_house_hears_the_question_trimmed_and_where_it_was_asked() -> None:
    house = House()
    await reply("  lamp? ", house=house, place="kitchen")
    assert house.heard == [("lamp?", "kitchen")]


async def test_where_it_is_not_certain_it_asks_does_nothing_and_says_what_may_answer() -> None:
    act = Acts()
    heard = Item("item_1", role="user", text="lamp on", alternatives=("lamp?",))
    prompt = Prompt(items=(heard,))
    said, done = [part async for part in Commands(House()).reply(prompt, act)]
    assert said == Text("Did you say lamp on, or lamp?")
    assert isinstance(done, Done)
    assert done.intent is None
    assert {"no", "the first one", "the second one"} <= set(done.expects)
    assert act.calls == []


def test_it_runs_on_this_box() -> None:
    assert Commands(House()).place is Place.LOCAL


MORE = Prompt(tools=({"type": "function", "name": ESCALATE},))


@pytest.mark.parametrize(
    ("items", "passes_on"),
    [
        ((Item("1", role="user", text="what is love"),), True),
        ((Item("1", role="user", text="lamp on"),), False),
        ((Item("1", role="user", text=""),), False),
        ((Item("1", kind="function_call_output", call_id="c", text="on"),), True),
    ],
)
async def test_what_it_does_not_understand_is_passed_on_where_others_follow(
    items: tuple[Item, ...], passes_on: bool
) -> None:
    first, done = [
        part async for part in Commands(House()).reply(replace(MORE, items=items), Acts())
    ]
    assert isinstance(done, Done)
    assert (first == Call(ESCALATE)) == passes_on

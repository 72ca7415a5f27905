"""What an answer says to a request, and a responder that asks for those of another one."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from airos_edge.errors import EngineError
from airos_edge.languages.phrases import Phrases
from airos_edge.router.approval import Answer, Approving
from airos_edge.router.approval import answered as answered_to
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Call, Done, Place, Prompt, Text
from tests.fakes import FakeResponder, Fault, Step
from tests.phrases import DONE, GIVEN_UP, NO, NOT_DONE, SAYS, YES

CALL = Call("files__write", {"path": "milk.txt"}, "call_1", waits_for_yes=True)
QUESTION = "Shall I use write of files?"


class Words:
    def place_of(self, call: Call) -> Place:
        return Place.EDGE

    def in_words(self, call: Call, says: Phrases) -> str:
        return "use write of files"


class Acts:
    def __init__(self, error: EngineError | None = None) -> None:
        self.calls: list[Call] = []
        self.furthest = Place.LOCAL
        self._error = error

    async def __call__(self, call: Call) -> str:
        self.calls.append(call)
        if self._error is not None:
            raise self._error
        return "written"

    async def committed(self) -> None:
        return

    def goes(self, place: Place) -> None:
        self.furthest = max(self.furthest, place)


def answered(items: Sequence[Item]) -> Answer | None:
    return answered_to(items, lambda call, says: QUESTION)


def user(text: str, **how: object) -> Item:
    return replace(Item(f"u{text}", role="user", text=text), **how)  # type: ignore[arg-type]


def said(text: str) -> Item:
    return Item("a", role="assistant", text=text)


def request(call_id: str = "call_1") -> Item:
    arguments = json.dumps(CALL.arguments)
    return Item("r", kind="approval_request", name=CALL.name, arguments=arguments, call_id=call_id)


ASKED = (user("note it"), said(QUESTION), request())


async def reply(
    *items: Item, script: Iterable[Step] = (Text("Noted."), Done("model")), acts: Acts | None = None
) -> tuple[list[Text | Call | Done], FakeResponder]:
    inner = FakeResponder(lambda prompt: script)
    parts = Approving(inner, Words()).reply(Prompt(items), acts or Acts())
    return [part async for part in parts], inner


# ---- what an answer says ------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["yes", "Yes.", "yes, please", "Okay!", "go ahead"])
def test_a_yes_is_one(text: str) -> None:
    assert answered([*ASKED, user(text)]) == Answer(CALL, "yes", 1, SAYS)


@pytest.mark.parametrize("text", ["no", "No, thanks.", "nope", "don't"])
def test_a_no_is_one(text: str) -> None:
    assert answered([*ASKED, user(text, sure=False)]) == Answer(CALL, "no", 1, SAYS)


@pytest.mark.parametrize("how", [{"sure": False}, {"alternatives": ("yet",)}])
def test_what_may_have_been_something_else_is_no_yes(how: dict[str, object]) -> None:
    assert answered([*ASKED, user("yes", **how)]) == Answer(CALL, "perhaps", 1, SAYS)


@pytest.mark.parametrize(
    "items",
    [
        (),
        ASKED,
        (*ASKED, user("yesterday")),
        (*ASKED, user("yes but only if it rains")),
        (*ASKED, user("hm"), user("yes")),
        (*ASKED, user("no"), said(GIVEN_UP), user("yes")),
        (user("note it"), request(), user("yes")),
        (user("note it"), said("One moment."), request(), user("yes")),
        (user("note it"), said(QUESTION), user("yes")),
        (user("note it"), said("Shall I read it to you?"), request(), user("yes")),
    ],
)
def test_anything_else_makes_a_request_void(items: tuple[Item, ...]) -> None:
    assert answered(items) is None


@pytest.mark.parametrize(
    "heard",
    [
        "Shall I use write",
        f"Shall I help you?\n{QUESTION}",
        f"{QUESTION[:-1]}, with path milk.txt?",
        "Shall I use write of files, with text Shall I go?",
    ],
)
def test_its_own_question_must_have_been_heard_at_least_the_beginning(heard: str) -> None:
    question = f"{QUESTION[:-1]}, with path https://example.com/milk?"
    items = (user("note it"), said(heard), request(), user("yes"))
    assert answered_to(items, lambda call, says: question) == Answer(CALL, "yes", 1, SAYS)


def test_what_was_not_understood_and_what_the_system_says_lie_in_no_ones_way() -> None:
    system = Item("s", role="system", text="It is late.")
    assert answered([*ASKED, user(""), system, user("yes")]) == Answer(CALL, "yes", 1, SAYS)


def test_it_is_counted_how_often_was_asked() -> None:
    again = (user("yes", sure=False), said(QUESTION), request())
    counted = answered([*ASKED, *again, user("yes")])
    assert counted is not None
    assert counted.times == 2
    other = answered([*ASKED, user("x"), said(QUESTION), request("call_2"), user("yes")])
    assert other is not None
    assert other.times == 1


# ---- asking -------------------------------------------------------------------------------------


async def test_a_call_that_waits_is_asked_for_and_ends_the_reply() -> None:
    second = replace(CALL, call_id="call_2")
    script = [Text("One moment."), CALL, Text("Never said."), second, Done("model")]
    parts, _ = await reply(user("note it"), script=script)
    question = Text(f"\n{QUESTION}")
    assert parts == [Text("One moment."), question, CALL, Done("model", expects=(*YES, *NO))]


async def test_other_calls_and_texts_pass() -> None:
    script = [Text("Let me see."), Call("weather"), Done("model", expects=("rome",))]
    parts, _ = await reply(user("weather"), script=script)
    assert parts == script


async def test_after_a_yes_the_call_is_made_and_told_with_its_result() -> None:
    acts = Acts()
    parts, inner = await reply(*ASKED, user("yes"), acts=acts)
    assert parts == [Text("Noted."), Done("model")]
    assert acts.calls == [replace(CALL, waits_for_yes=False)]
    assert acts.furthest is Place.EDGE
    call, result = inner.prompts[0].items[-2:]
    assert (call.kind, call.name, call.arguments) == (
        "function_call",
        CALL.name,
        '{"path": "milk.txt"}',
    )
    assert (result.kind, result.call_id, result.text) == (
        "function_call_output",
        "call_1",
        "written",
    )


async def test_a_yes_that_is_not_committed_goes_nowhere() -> None:
    class Uncommitted(Acts):
        async def committed(self) -> None:
            raise EngineError("act", "the reply has ended")

    acts = Uncommitted()
    await reply(*ASKED, user("yes"), acts=acts)
    assert (acts.furthest, acts.calls) == (Place.LOCAL, [])


async def test_a_call_that_fails_is_told_to_the_model() -> None:
    _, inner = await reply(*ASKED, user("yes"), acts=Acts(EngineError("files", "disk full")))
    assert inner.prompts[0].items[-1].text == "It failed: files: disk full"


@pytest.mark.parametrize(
    ("error", "text"), [(None, DONE), (EngineError("files", "disk full"), NOT_DONE)]
)
async def test_what_was_done_is_said_even_if_the_model_has_nothing_to_say_any_more(
    error: EngineError | None, text: str
) -> None:
    parts, _ = await reply(*ASKED, user("yes"), script=[Fault.RAISE], acts=Acts(error))
    assert parts[0] == Text(text)
    assert isinstance(parts[1], Done)


async def test_a_model_that_fails_while_it_speaks_of_it_fails() -> None:
    with pytest.raises(EngineError):
        await reply(*ASKED, user("yes"), script=[Text("No"), Fault.RAISE])


async def test_a_call_after_the_call_may_wait_too() -> None:
    second = replace(CALL, call_id="call_2")
    parts, _ = await reply(*ASKED, user("yes"), script=[second, Done("model")])
    assert parts == [Text(QUESTION), second, Done("model", expects=(*YES, *NO))]


async def test_the_model_does_not_see_requests() -> None:
    _, inner = await reply(*ASKED, user("what time is it"))
    assert [item.kind for item in inner.prompts[0].items] == ["message"] * 3


async def test_it_closes_what_it_stands_around() -> None:
    inner = FakeResponder(lambda prompt: [Text("One."), Text("Two."), Done("model")])
    parts = Approving(inner, Words()).reply(Prompt((user("hello"),)), Acts())
    await anext(parts)
    await parts.aclose()
    assert inner.running == 0


# ---- in other languages -------------------------------------------------------------------------


class InWords(Words):
    def in_words(self, call: Call, says: Phrases) -> str:
        return says.turn_off.format(which=says.all_lights)


GERMAN = "Soll ich alle Lichter ausschalten?"


async def approving(*items: Item) -> list[Text | Call | Done]:
    inner = FakeResponder(lambda prompt: [CALL, Done("model")])
    parts = Approving(inner, InWords(), ("en", "de", "zh")).reply(Prompt(items), Acts())
    return [part async for part in parts]


@pytest.mark.parametrize(
    ("language", "question", "yes"),
    [
        (None, "Shall I turn off all the lights?", "yes"),
        ("de", GERMAN, "ja"),
        ("zh", "要我关闭所有的灯吗？", "是"),
    ],
)
async def test_it_is_asked_in_the_language_of_the_question(
    language: str | None, question: str, yes: str
) -> None:
    text, call, done = await approving(user("all off", language=language))
    assert (text, call) == (Text(question), CALL)
    assert isinstance(text, Text)
    assert text.language == (language or "en")
    assert isinstance(done, Done)
    assert done.expects[0] == yes


@pytest.mark.parametrize(
    ("answer", "said"),
    [("Ja, bitte.", "yes"), ("mach das", "yes"), ("Nein!", "no"), ("yes", None), ("Warum?", None)],
)
def test_an_answer_counts_in_the_language_that_was_asked_in(answer: str, said: str | None) -> None:
    items = (user("alle aus"), replace(ASKED[1], text=GERMAN), request(), user(answer))
    questions = {"en": QUESTION, "de": GERMAN}
    found = answered_to(items, lambda call, says: questions[says.language], ("en", "de"))
    assert (found.said if found else None) == said


async def test_giving_up_is_said_in_the_language_that_was_asked_in() -> None:
    items = (user("alle aus"), replace(ASKED[1], text=GERMAN), request(), user("Nein."))
    assert await approving(*items) == [Text("In Ordnung."), Done("confirmation")]

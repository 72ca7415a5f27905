"""Who answers: the tiers in their order, as far as they may go, and what one leaves to the next."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from airos_edge.errors import ConfigError, EngineError, PromptError, ReachError
from airos_edge.router.answer import GO_ON
from airos_edge.router.breaker import MOST_FAILURES, Breaker
from airos_edge.router.kit import MOST_ROUNDS
from airos_edge.router.router import COMMANDS, Router, Settings, refuse_unknown
from airos_edge.router.tiers import Tier
from airos_edge.tools.toolbox import Tool
from airos_edge.voice.history import Item, Part
from airos_edge.voice.ports import ESCALATE, Call, Done, Place, Prompt, Speaking, Text, Truncation
from tests.fakes import FakeResponder, Fault, Step

PROMPT = Prompt((Item("item_1", role="user", text="why is the sky blue"),), reach=Place.CLOUD)
SPOKEN = replace(PROMPT, speaking=Speaking())
DOOR = {"type": "function", "name": "door"}
Script = Sequence[Step] | Callable[[Prompt], Iterable[Step]]


class Acts:
    """`went`: how far anything was said to go; a call gives its name, unless it is to fail."""

    def __init__(self, is_committed: bool = True, fails: bool = False) -> None:
        self.gate = asyncio.Event()
        self.calls: list[Call] = []
        self.went: list[Place] = []
        self._fails = fails
        if is_committed:
            self.gate.set()

    async def __call__(self, call: Call) -> str:
        await self.committed()
        self.calls.append(call)
        if self._fails:
            raise EngineError("lamp", "is broken")
        return f"did {call.name}"

    async def committed(self) -> None:
        await self.gate.wait()

    def goes(self, place: Place) -> None:
        self.went.append(place)


class Toolbox:
    """Offers a lamp here and a shop in the cloud; a lock wants a yes."""

    async def offered(self, reach: Place) -> Sequence[Tool]:
        tools = (
            Tool("lamp", "The lamp.", is_safe=True),
            Tool("lock", "The lock.", is_safe=True),
            Tool("shop", "", place=Place.CLOUD),
            Tool("notes", "Of a tool server."),
        )
        return [tool for tool in tools if tool.place <= reach]

    def needs_yes(self, call: Call) -> bool:
        return call.name == "lock"


def responder(name: str, script: Script, place: Place = Place.LOCAL) -> FakeResponder:
    fake = FakeResponder(script if callable(script) else lambda prompt: script, name)
    fake.place = place
    return fake


def house(prompt: Prompt) -> Iterable[Step]:
    """Understands nothing, and passes on what it may."""
    answer: Step = Call(ESCALATE) if prompt.may_escalate else Text("I only know house commands.")
    return [answer, Done(COMMANDS)]


class Desk:
    """A router over `commands` and models by their scripts, in this order; `able`: fields of their tiers."""

    def __init__(
        self,
        *models: FakeResponder,
        commands: Script = house,
        order: Sequence[str] | None = None,
        toolbox: Toolbox | None = None,
        first_token_s: float = 5,
        **able: Mapping[str, Any],
    ) -> None:
        self.commands = responder(COMMANDS, commands)
        self.models = models
        self.states: list[tuple[str, str]] = []
        names = [model.name for model in models]

        def report(name: str, state: str, why: str) -> None:
            self.states.append((name, state))

        tiers = {
            model.name: Tier(
                model, Breaker(model.name, report), first_token_s, **able.get(model.name, {})
            )
            for model in models
        }
        tiers_in_order = [COMMANDS, *names] if order is None else order
        self.router = Router(self.commands, tiers, tiers_in_order, "Be brief.", toolbox)

    async def ask(
        self, prompt: Prompt = PROMPT, act: Acts | None = None
    ) -> list[Text | Call | Done]:
        async with aclosing(self.router.reply(prompt, act or Acts())) as parts:
            return [part async for part in parts]

    async def answer(self, prompt: Prompt = PROMPT, act: Acts | None = None) -> tuple[str, str]:
        """What was said, and by whom."""
        parts = await self.ask(prompt, act)
        assert isinstance(parts[-1], Done)
        assert all(fake.running == 0 for fake in (self.commands, *self.models))
        return text_of(parts), parts[-1].tier


def text_of(parts: Sequence[Text | Call | Done]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))


def says(text: str, name: str = "fast", *pieces: str) -> FakeResponder:
    return responder(name, [Text(text), *map(Text, pieces), Done(name)])


def broken(fault: Fault = Fault.RAISE, name: str = "fast", *before: Step) -> FakeResponder:
    return responder(name, [*before, fault])


# ---- in order -----------------------------------------------------------------------------------


async def test_the_first_that_has_an_answer_gives_it() -> None:
    desk = Desk(says("Blue."), commands=[Text("Done."), Done(COMMANDS, intent="Off")])
    assert await desk.ask() == [Text("Done."), Done(COMMANDS, intent="Off")]
    assert desk.models[0].opened == 0


async def test_commands_pass_on_what_they_do_not_understand() -> None:
    desk = Desk(says("It scatters."))
    assert await desk.answer() == ("It scatters.", "fast")


async def test_who_is_asked_last_has_to_answer() -> None:
    assert await Desk().answer() == ("I only know house commands.", COMMANDS)
    desk = Desk(says("Blue."), order=["fast", COMMANDS])
    await desk.answer()
    assert desk.models[0].prompts[0].may_escalate
    desk = Desk(says("Blue."))
    await desk.answer()
    assert not desk.models[0].prompts[0].may_escalate


async def test_a_model_may_pass_the_question_on() -> None:
    small = responder("small", [Call(ESCALATE, call_id="c"), Done("small")])
    assert await Desk(small, says("Rayleigh.")).answer() == ("Rayleigh.", "fast")


async def test_a_model_is_told_who_it_is_unless_the_client_says_so() -> None:
    desk = Desk(says("Blue."))
    await desk.answer(replace(PROMPT, place="kitchen"))
    await desk.answer(replace(PROMPT, instructions="Be rude."))
    told = [prompt.instructions for prompt in desk.models[0].prompts]
    assert told == ["Be brief.\nThe question comes from here: kitchen.", "Be rude."]


# ---- whom a client wants ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "tier"),
    [
        ({}, COMMANDS),
        ({"responder": "airos"}, COMMANDS),
        ({"responder": "gpt-realtime"}, COMMANDS),
        ({"responder": "fast"}, "fast"),
        ({"responder": "big"}, "big"),
        ({"responder": COMMANDS, "instructions": "Be rude."}, COMMANDS),
        ({"instructions": "Be rude."}, "fast"),
        ({"tools": (DOOR,)}, "fast"),
        ({"responder": "airos", "tools": (DOOR,)}, "fast"),
    ],
)
async def test_a_client_chooses_and_its_own_instructions_are_not_hijacked(
    changes: Mapping[str, Any], tier: str
) -> None:
    lamp: Script = [Text("On."), Done(COMMANDS)]
    desk = Desk(says("A."), says("B.", "big"), commands=lamp, order=[COMMANDS, "fast"])
    assert (await desk.answer(replace(PROMPT, **changes)))[1] == tier


async def test_who_is_asked_by_name_is_asked_alone() -> None:
    desk = Desk(broken(), says("B.", "big"))
    with pytest.raises(EngineError, match="fast: broke"):
        await desk.answer(replace(PROMPT, responder="fast"))
    assert not desk.models[0].prompts[0].may_escalate


async def test_where_there_is_no_model_a_client_with_instructions_gets_the_commands() -> None:
    prompt = replace(PROMPT, instructions="Be rude.")
    assert await Desk().answer(prompt) == ("I only know house commands.", COMMANDS)


@pytest.mark.parametrize("text", ["", " ", None])
@pytest.mark.parametrize("responder", [None, "fast"])
async def test_nothing_heard_is_no_question_for_a_model(
    text: str | None, responder: str | None
) -> None:
    desk = Desk(says("A."))
    items = (*PROMPT.items, Item("item_2", role="user", text=text, spoken=True))
    prompt = replace(PROMPT, items=items, responder=responder)
    assert (await desk.answer(prompt))[1] == COMMANDS


async def test_a_conversation_may_begin_without_a_question() -> None:
    prompt = replace(PROMPT, items=(), instructions="Say hello.")
    assert await Desk(says("Hello.")).answer(prompt) == ("Hello.", "fast")


# ---- how far it may go --------------------------------------------------------------------------


def at(place: Place, name: str = "far") -> FakeResponder:
    return responder(name, [Text(f"From {name}."), Done(name)], place)


@pytest.mark.parametrize(
    ("reach", "tier"), [(Place.LOCAL, COMMANDS), (Place.EDGE, "lan"), (Place.CLOUD, "lan")]
)
async def test_a_tier_beyond_reach_is_never_asked(reach: Place, tier: str) -> None:
    desk = Desk(at(Place.EDGE, "lan"), at(Place.CLOUD))
    act = Acts()
    assert (await desk.answer(replace(PROMPT, reach=reach), act))[1] == tier
    assert max(act.went) == min(reach, Place.EDGE)
    assert desk.models[1].opened == 0


async def test_a_model_beyond_reach_that_is_wanted_by_name_is_refused() -> None:
    prompt = replace(PROMPT, reach=Place.EDGE, responder="far")
    with pytest.raises(ReachError, match="far: lies beyond `reach`, which is edge"):
        await Desk(at(Place.CLOUD)).answer(prompt)


async def test_where_there_is_nobody_it_says_where_to_look() -> None:
    with pytest.raises(EngineError, match=r"router\.tiers"):
        await Desk(order=[]).answer()


@pytest.mark.parametrize("place", [Place.LOCAL, Place.EDGE])
async def test_a_model_within_the_lan_thinks_before_the_commit(place: Place) -> None:
    act = Acts(is_committed=False)
    assert await Desk(at(place)).answer(PROMPT, act) == ("From far.", "far")


async def test_a_model_in_the_cloud_is_asked_after_the_commit_only() -> None:
    desk, act = Desk(at(Place.CLOUD)), Acts(is_committed=False)
    asking = asyncio.ensure_future(desk.answer(PROMPT, act))
    await asyncio.sleep(60)
    assert desk.models[0].opened == 0
    assert act.went == [Place.LOCAL], "the commands"
    act.gate.set()
    assert await asking == ("From far.", "far"), "the wait is not counted among its own"
    assert act.went == [Place.LOCAL, Place.CLOUD]


async def test_what_went_to_one_that_failed_has_left_all_the_same() -> None:
    act = Acts()
    dead = broken(name="dead")
    dead.place = Place.CLOUD
    await Desk(dead, says("Blue.")).answer(PROMPT, act)
    assert act.went == [Place.LOCAL, Place.CLOUD, Place.LOCAL]


# ---- what fails ---------------------------------------------------------------------------------

FAULTS = [Fault.RAISE, Fault.CRASH, Fault.FOREIGN_CANCEL, Fault.STALL]


@pytest.mark.parametrize("fault", FAULTS)
async def test_who_fails_makes_way_for_the_next(fault: Fault) -> None:
    desk = Desk(broken(fault, "dead"), says("Blue."))
    assert await desk.answer() == ("Blue.", "fast")
    assert asyncio.get_running_loop().time() <= 5
    assert desk.states == [("dead", "degraded"), ("fast", "ok")]


async def test_who_is_slow_with_the_first_words_makes_way_but_not_who_is_slow_later() -> None:
    slow = responder("slow", [6000, Text("At last."), Done("slow")])
    thorough = responder("thorough", [Text("Well. "), 6000, Text("Blue."), Done("thorough")])
    assert await Desk(slow, thorough).answer() == ("Well. Blue.", "thorough")


async def test_who_says_done_has_ended_whatever_follows() -> None:
    desk = Desk(responder("fast", [Text("Blue."), Done("fast"), Fault.STALL]))
    assert await desk.answer() == ("Blue.", "fast")


@pytest.mark.parametrize("script", [[], [Done("fast")]])
async def test_an_empty_answer_is_an_answer_and_no_answer_is_a_failure(script: Script) -> None:
    desk = Desk(responder("fast", script), says("Blue.", "next"))
    assert (await desk.answer())[1] == ("fast" if script else "next")


async def test_when_all_fail_each_is_named_with_its_reason() -> None:
    with pytest.raises(EngineError, match=r"router: a: broke; b: did not begin .* 5 s"):
        await Desk(broken(name="a"), broken(Fault.STALL, "b")).ask()
    with pytest.raises(EngineError, match=r"^a: broke$"):
        await Desk(broken(name="a")).ask()


async def test_one_that_fails_again_and_again_is_left_alone() -> None:
    desk = Desk(broken(Fault.STALL, "dead"), says("Blue."))
    for _ in range(MOST_FAILURES):
        await desk.answer()
    before_s = asyncio.get_running_loop().time()
    assert await desk.answer() == ("Blue.", "fast")
    assert asyncio.get_running_loop().time() == before_s
    assert desk.models[0].opened == MOST_FAILURES


async def test_who_fails_before_its_first_sentence_ends_has_said_nothing() -> None:
    half = broken(Fault.RAISE, "half", Text("The sky "), Text("is"))
    assert await Desk(half, says("Blue.")).answer(SPOKEN) == ("Blue.", "fast")


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (["The sky is blue. ", "That is"], "The sky is blue. That is\nIt scatters."),
        (["The sky is blue. "], "The sky is blue. \nIt scatters."),
        (["The sky is blue."], "The sky is blue.\nIt scatters."),
    ],
)
async def test_after_that_the_next_goes_on_from_what_was_released(
    said: list[str], text: str
) -> None:
    half = broken(Fault.RAISE, "half", *map(Text, said))
    desk = Desk(half, says("It scatters."))
    assert await desk.answer(SPOKEN) == (text, "fast")
    *_, told, wanted = desk.models[1].prompts[0].items
    assert (told.role, told.text) == ("assistant", "".join(said).rstrip())
    assert (wanted.role, wanted.text) == ("user", GO_ON)


async def test_a_written_reply_is_released_word_by_word() -> None:
    half = broken(Fault.RAISE, "half", Text("The sky"))
    assert await Desk(half, says("It is blue.")).answer() == ("The sky\nIt is blue.", "fast")


async def test_closing_it_closes_who_is_being_asked() -> None:
    desk = Desk(responder("fast", [Text("Well. "), Fault.STALL]))
    parts = desk.router.reply(PROMPT, Acts())
    assert await anext(parts) == Text("Well. ")
    await parts.aclose()
    assert desk.models[0].running == 0
    assert desk.states == [("fast", "ok")]


# ---- tools --------------------------------------------------------------------------------------


def rounds(*answers: Sequence[Step]) -> Callable[[Prompt], Iterable[Step]]:
    """The answers in their order, one for each completion; the last repeats."""
    waiting = list(answers)
    return lambda prompt: waiting.pop(0) if len(waiting) > 1 else waiting[0]


def calling(*calls: Call, text: str = "") -> list[Step]:
    spoken: list[Step] = [Text(text)] if text else []
    return [*spoken, *calls, Done("fast", input_tokens=10, output_tokens=2)]


LAMP = Call("lamp", {"on": True}, "c1")
AT_LAST: list[Step] = [Text("It is on."), Done("fast", input_tokens=20, output_tokens=3)]


async def test_our_tools_are_offered_beside_the_clients_and_only_within_reach() -> None:
    desk = Desk(says("Blue."), toolbox=Toolbox())
    await desk.answer(replace(PROMPT, tools=(DOOR, {"type": "function", "name": "lamp"})))
    await desk.answer(replace(PROMPT, reach=Place.LOCAL))
    await desk.answer(replace(PROMPT, tool_choice="none"))
    names = [[tool["name"] for tool in prompt.tools] for prompt in desk.models[0].prompts]
    assert names == [
        ["door", "lamp", "lock", "shop", "notes"],
        ["lamp", "lock", "notes"],
        [],
    ]
    assert desk.commands.prompts[0].tools == (desk.commands.prompts[0].tools[0],), "the way out"


@pytest.mark.parametrize("reach", Place)
async def test_tool_servers_in_the_cloud_are_asked_for_their_tools_after_the_commit_only(
    reach: Place,
) -> None:
    desk, act = Desk(says("Blue."), toolbox=Toolbox()), Acts(is_committed=False)
    asking = asyncio.ensure_future(desk.answer(replace(PROMPT, reach=reach), act))
    await asyncio.sleep(60)
    assert asking.done() == (reach is not Place.CLOUD)
    act.gate.set()
    await asking


async def test_a_call_of_ours_is_made_and_its_result_goes_on() -> None:
    model = responder("fast", rounds(calling(LAMP, text="One moment."), AT_LAST))
    desk, act = Desk(model, toolbox=Toolbox()), Acts()
    parts = await desk.ask(SPOKEN, act)
    assert parts[:2] == [Text("One moment."), Text("\n")], "it is spoken before the call is made"
    assert text_of(parts) == "One moment.\nIt is on."
    assert parts[-1] == Done("fast", input_tokens=30, output_tokens=5)
    assert act.calls == [LAMP]
    said, call, result = model.prompts[1].items[1:]
    assert (said.role, said.text) == ("assistant", "One moment.")
    assert (call.name, call.arguments, call.call_id) == ("lamp", '{"on": true}', "c1")
    assert (result.call_id, result.text) == ("c1", "did lamp")


async def test_what_a_tool_is_called_with_goes_where_the_tool_is() -> None:
    act = Acts()
    model = responder("fast", rounds(calling(Call("shop")), AT_LAST))
    await Desk(model, toolbox=Toolbox(), order=["fast"]).ask(PROMPT, act)
    assert act.went == [Place.LOCAL, Place.CLOUD, Place.LOCAL]


async def test_a_call_that_waits_for_the_commit_has_gone_nowhere() -> None:
    class Near(Toolbox):
        async def offered(self, reach: Place) -> Sequence[Tool]:
            return [Tool("shed", place=Place.EDGE, description="")]

    act = Acts(is_committed=False)
    desk = Desk(responder("fast", calling(Call("shed"))), toolbox=Near(), order=["fast"])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await desk.ask(replace(PROMPT, reach=Place.EDGE), act)
    assert act.went == [Place.LOCAL]


async def test_a_tool_that_fails_or_does_not_exist_is_the_models_to_explain() -> None:
    model = responder("fast", rounds(calling(LAMP, Call("oven")), AT_LAST))
    await Desk(model, toolbox=Toolbox()).ask(PROMPT, Acts(fails=True))
    results = [item.text for item in model.prompts[1].items if item.kind == "function_call_output"]
    assert results == ["It failed: lamp: is broken", "There is no tool 'oven'."]


async def test_a_clients_call_ends_the_reply() -> None:
    door = Call("door", {"open": True}, "c2")
    model = responder("fast", calling(LAMP, door, text="One moment."))
    act = Acts()
    parts = await Desk(model, toolbox=Toolbox()).ask(replace(PROMPT, tools=(DOOR,)), act)
    assert [*parts[:3]] == [Text("One moment."), Text("\n"), door]
    assert isinstance(parts[3], Done)
    assert act.calls == [LAMP], "ours is made all the same"
    assert model.opened == 1


async def test_a_call_that_wants_a_yes_ends_the_reply_and_is_not_made() -> None:
    lock, act = Call("lock", {"door": "front"}, "c3"), Acts()
    model = responder("fast", calling(lock, Call("lock", {"door": "back"})))
    parts = await Desk(model, toolbox=Toolbox()).ask(PROMPT, act)
    assert parts[0] == replace(lock, waits_for_yes=True)
    assert [type(part) for part in parts] == [Call, Done], "one question at a time"
    assert act.calls == []


async def test_who_calls_tools_for_ever_has_to_answer_at_last() -> None:
    model = responder("fast", calling(LAMP))
    with pytest.raises(EngineError, match=f"called tools {MOST_ROUNDS} times"):
        await Desk(model, toolbox=Toolbox()).ask(PROMPT, Acts())
    choices = [prompt.tool_choice for prompt in model.prompts]
    assert choices == ["auto"] * MOST_ROUNDS + ["none"]


async def test_what_had_to_be_called_need_not_be_called_again() -> None:
    model = responder("fast", rounds(calling(LAMP), AT_LAST))
    await Desk(model, toolbox=Toolbox()).ask(replace(PROMPT, tool_choice="required"))
    assert [prompt.tool_choice for prompt in model.prompts] == ["required", "auto"]


async def test_what_one_has_done_the_next_does_not_do_again() -> None:
    half = responder("half", rounds(calling(LAMP), [Fault.RAISE]))
    desk, act = Desk(half, says("It is on."), toolbox=Toolbox()), Acts()
    assert await desk.answer(PROMPT, act) == ("It is on.", "fast")
    kinds = [item.kind for item in desk.models[1].prompts[0].items]
    assert kinds == ["message", "function_call", "function_call_output"]
    assert act.calls == [LAMP]


@pytest.mark.parametrize(
    "script",
    [
        [Text("The sky is blue. "), Fault.RAISE],
        [Text("The sky is blue. "), Call(ESCALATE), Done("half")],
        rounds(calling(LAMP), [Fault.RAISE]),
        rounds(calling(LAMP), calling(Call(ESCALATE))),
    ],
)
async def test_who_only_answers_questions_is_not_asked_to_go_on(script: Script) -> None:
    desk = Desk(responder("half", script), order=["half", COMMANDS], toolbox=Toolbox())
    with pytest.raises(EngineError, match=r"half: |nobody could go on with the answer"):
        await desk.ask(SPOKEN)
    assert desk.commands.prompts == []


# ---- the configuration --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tiers", "models", "told"),
    [
        (
            ("commands", "fsat"),
            ["fast"],
            r"router\.tiers\[1\]: there is no model 'fsat'.*try fast$",
        ),
        (("nobody",), [], "try commands$"),
        (("fast", "fast"), ["fast"], "named twice"),
        (("commands",), ["airos"], r"llm\.airos: a model cannot be called that"),
    ],
)
def test_a_tier_that_is_nobody_is_refused(
    tiers: tuple[str, ...], models: list[str], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        refuse_unknown(Settings(tiers), models)


# ---- who is not known ---------------------------------------------------------------------------


async def test_for_somebody_unknown_a_model_gets_safe_tools_only() -> None:
    fast = says("Hello.")
    desk = Desk(fast, toolbox=Toolbox())
    await desk.ask(replace(PROMPT, safe_only=True))
    (asked,) = fast.prompts
    assert [tool["name"] for tool in asked.tools] == ["lamp", "lock"]


async def test_for_somebody_unknown_what_needs_a_yes_is_not_done_and_not_asked_for() -> None:
    acts, fast = Acts(), responder("fast", lambda prompt: next(script))
    script = iter([[Call("lock"), Done("fast")], [Text("I cannot."), Done("fast")]])
    parts = await Desk(fast, toolbox=Toolbox()).ask(replace(PROMPT, safe_only=True), acts)
    assert text_of(parts) == "I cannot."
    assert acts.calls == []
    assert "not done from there" in (fast.prompts[1].items[-1].text or "")


async def test_for_somebody_unknown_no_other_box_is_asked() -> None:
    other = says("Done.", "attic")
    desk = Desk(other)
    desk.router._order[1] = replace(desk.router._order[1], is_model=False)
    assert text_of(await desk.ask(replace(PROMPT, safe_only=True))) == "I only know house commands."
    assert other.prompts == []


async def test_a_model_that_says_nothing_as_its_tokens_are_used_up_has_failed() -> None:
    fast = responder("fast", [Done("fast", "max_tokens")])
    with pytest.raises(EngineError, match=r"give it more by llm\.fast\.max_tokens"):
        await Desk(fast).ask()


# ---- pictures, long conversations, one call -----------------------------------------------------

PICTURE = Part("image", url="data:image/png;base64,AAAA")


def showing(text: str) -> Prompt:
    return Prompt((Item("a", role="user", text=text, parts=(Part("text", text), PICTURE)),))


SEES = {"sees": True}


async def test_a_picture_is_for_models_that_see() -> None:
    desk = Desk(says("Blind.", "fast"), says("A cat.", "clever"), clever=SEES)
    assert await desk.answer(showing("what is this")) == ("A cat.", "clever")
    assert not desk.models[0].prompts
    assert await desk.answer(showing("")) == ("A cat.", "clever")
    assert len(desk.commands.prompts) == 1, "there was nothing for it to read"


async def test_where_no_model_sees_none_is_asked_and_it_is_said_what_would_mend_it() -> None:
    desk = Desk(says("Blind.", "fast"), says("Blind.", "clever"))
    with pytest.raises(
        PromptError, match=r"fast, clever: does not see.*llm\.<name>\.sees"
    ) as error:
        await desk.ask(showing("what is this"))
    assert error.value.code == "unsupported_content_type"
    assert not desk.models[0].prompts
    assert desk.states == []


async def test_where_there_is_no_model_the_commands_do_without_the_picture() -> None:
    desk = Desk()
    assert (await desk.answer(showing("lights on")))[1] == COMMANDS
    with pytest.raises(PromptError):
        await desk.ask(showing(""))


async def test_a_picture_that_was_answered_hinders_nobody() -> None:
    answered = Item("b", role="assistant", text="A cat.")
    items = (*showing("what is this").items, answered, Item("c", role="user", text="and now"))
    assert (await Desk(says("Now.")).answer(Prompt(items)))[1] == "fast"


async def test_each_tier_reads_as_much_as_it_can() -> None:
    desk = Desk(says("Yes."), order=["fast"], fast={"reads_tokens": 60})
    items = tuple(Item(f"{n}", role="user", text="x" * 36) for n in range(20))
    await desk.answer(Prompt(items))
    read = desk.models[0].prompts[0].items
    assert 1 < len(read) < 5
    assert read[-1].id == "19"


async def test_a_conversation_that_may_not_be_cut_is_no_fault_of_the_model() -> None:
    desk = Desk(says("Yes."), order=["fast"], fast={"reads_tokens": 10})
    prompt = Prompt(
        (Item("a", role="user", text="x" * 400),), truncation=Truncation(retention=None)
    )
    with pytest.raises(PromptError):
        await desk.ask(prompt)
    assert desk.states == []


async def test_where_one_call_is_wanted_the_first_counts() -> None:
    calls = [Call("lamp", {"n": n}, f"c{n}") for n in range(3)]
    prompt = replace(PROMPT, tools=({"type": "function", "name": "lamp"},), parallel_calls=False)
    for parallel, many in ((False, 1), (True, 3)):
        desk = Desk(responder("fast", [*calls, Done("fast")]), order=["fast"])
        parts = await desk.ask(replace(prompt, parallel_calls=parallel))
        assert len([part for part in parts if isinstance(part, Call)]) == many


async def test_what_a_question_begins_with_is_known_before_it_is_asked() -> None:
    """So that a model can have read it."""
    first, last = responder("fast", [Call(ESCALATE), Done("fast")]), says("It is.", "last")
    desk = Desk(first, last, toolbox=Toolbox())
    await desk.ask()
    for model in (first, last):
        usual = await desk.router.usual_prompt(model.name)
        (asked,) = model.prompts
        assert usual.tools
        assert (usual.instructions, usual.tools, usual.tool_choice) == (
            asked.instructions,
            asked.tools,
            asked.tool_choice,
        )

"""What people ask of a house, and what they are answered: sane sentences that are true."""

import asyncio
from datetime import datetime

import pytest

from airos_edge.errors import EngineError
from airos_edge.home.demo import demo_house
from airos_edge.home.house import AreaSettings, DeviceSettings, Settings, State
from airos_edge.home.timers import MOST
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Call
from tests.home.people import HOUSE, People, SomeDead, lights
from tests.phrases import NO_COMMAND

KITCHEN = ["kitchen light"]
LIVING_ROOM = ["floor lamp", "ceiling light"]

# ---- on and off ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer", "on"),
    [
        ("turn on the kitchen light", "Turned on the light", KITCHEN),
        ("Turn on the kitchen light, please!", "Turned on the light", KITCHEN),
        ("could you switch the kitchen light on", "Turned on the light", KITCHEN),
        ("  turn on\tthe kitchen\nlight ", "Turned on the light", KITCHEN),
        ("kitchen light on", "Turned on the light", KITCHEN),
        ("turn on the cooking light", "Turned on the light", KITCHEN),
        ("turn on the coffee machine", "Turned on the switch", ["coffee machine"]),
        ("turn the old fan on", "Turned on the fan", ["old fan"]),
        ("turn on the lights in the living room", "Turned on the lights", LIVING_ROOM),
        ("turn on the lounge lights", "Turned on the lights", LIVING_ROOM),
        ("turn on the fans in the living room", "Turned on the fans", ["old fan"]),
        ("turn on the lights", "Turned on all of the lights", KITCHEN + LIVING_ROOM),
        ("turn all the lights on", "Turned on all of the lights", KITCHEN + LIVING_ROOM),
    ],
)
async def test_what_is_named_is_turned_on_and_nothing_else(
    text: str, answer: str, on: list[str]
) -> None:
    async with People() as people:
        assert await people.ask(text) == answer
        assert people.on() == on


@pytest.mark.parametrize(
    ("text", "answer", "left_on"),
    [
        ("turn off the kitchen light", "Turned off the light", LIVING_ROOM),
        ("turn off the lights in the kitchen", "Turned off the lights", LIVING_ROOM),
        ("turn off all the lights", "Turned off all of the lights", []),
        ("turn the lights off", "Turned off all of the lights", []),
        ("switch off the lights everywhere", "Turned off all of the lights", []),
    ],
)
async def test_what_is_named_is_turned_off_and_nothing_else(
    text: str, answer: str, left_on: list[str]
) -> None:
    async with People() as people:
        await people.ask("turn on the lights")
        assert await people.ask(text) == answer
        assert people.on() == left_on


async def test_the_lights_are_those_of_the_room_where_it_was_said() -> None:
    async with People() as people:
        assert await people.ask("turn on the lights", place="living room") == "Turned on the lights"
        assert people.on() == LIVING_ROOM
        assert await people.ask("lights out", place="living room") == "Turned off the lights"
        assert people.on() == []
        await people.ask("turn on all the lights", place="living room")
        assert people.on() == KITCHEN + LIVING_ROOM


async def test_what_was_done_is_told_with_its_reply() -> None:
    async with People() as people:
        _, done = await people.reply("set the kitchen light to 50%")
        assert (done.tier, done.intent) == ("commands", "HassLightSet")
        assert done.slots == {"name": "kitchen light", "brightness": 50}


# ---- brightness ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "lit"),
    [
        ("set the kitchen light to 50 percent", KITCHEN),
        ("set the kitchen light to fifty percent", KITCHEN),
        ("set kitchen light brightness to 50", KITCHEN),
        ("change the brightness of the cooking light to 50%", KITCHEN),
        ("set the living room to 50%", LIVING_ROOM),
        ("set the living room brightness to 50 %", LIVING_ROOM),
        ("set the living room lights to 50 percent", LIVING_ROOM),
        ("set the brightness in the lounge to fifty percent", LIVING_ROOM),
    ],
)
async def test_lights_get_the_brightness_that_is_asked_for(text: str, lit: list[str]) -> None:
    async with People() as people:
        assert await people.ask(text) == "Brightness set"
        assert people.on() == lit
        assert {people.house.states[name] for name in lit} == {State(True, 50)}


async def test_a_light_at_no_percent_is_off_and_keeps_what_it_had() -> None:
    async with People() as people:
        await people.ask("set the kitchen light to 40 percent")
        await people.ask("set the kitchen light to 0 percent")
        assert await people.ask("is the kitchen light on") == "No, off"
        await people.ask("turn on the kitchen light")
        assert people.house.states["kitchen light"] == State(True, 40)


@pytest.mark.parametrize(
    "text",
    ["set the kitchen light to 150 percent", "set the coffee machine to 30 percent", "turn on the"],
)
async def test_what_cannot_be_is_not_understood(text: str) -> None:
    async with People() as people:
        assert await people.ask(text) == NO_COMMAND
        assert people.on() == []


# ---- questions about the house ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("is the floor lamp on", "Yes"),
        ("is the floor lamp off?", "No, on"),
        ("is the old fan on", "No, off"),
        ("what is the state of the floor lamp", "Floor lamp is on"),
        ("which lights are on", "ceiling light and floor lamp"),
        ("what lights are off", "kitchen light"),
        ("which lights are on in the kitchen", "Not any"),
        ("are any lights on", "Yes, ceiling light and floor lamp"),
        ("are the lights on", "Yes, ceiling light and floor lamp"),
        ("is the light on in the kitchen", "No"),
        ("are the living room lights on", "Yes, ceiling light and floor lamp"),
        ("are all the lights on", "No, kitchen light is not on"),
        ("are all lights on in the living room", "Yes"),
        ("how many lights are on", "2"),
        ("are any fans on", "No"),
        ("which switches are on", "Not any"),
    ],
)
async def test_questions_are_answered_with_what_is_so(text: str, answer: str) -> None:
    async with People() as people:
        await people.ask("turn on the lights in the living room")
        assert await people.ask(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("turn on the lights in the cellar", "any light in the cellar area"),
        ("set the cellar to 20 percent", "any light in the cellar area"),
        ("are all lights on in the cellar", "any light in the cellar area"),
        ("which fans are on in the kitchen", "any fan in the kitchen area"),
    ],
)
async def test_of_what_an_area_does_not_have_it_says_so(text: str, answer: str) -> None:
    async with People() as people:
        assert await people.ask(text) == f"Sorry, I am not aware of {answer}"


@pytest.mark.parametrize(
    "text", ["turn off all the lights", "are all lights on", "turn on the lights"]
)
async def test_an_empty_house_has_no_lights(text: str) -> None:
    async with People(Settings()) as people:
        assert await people.ask(text) == "Sorry, I am not aware of any light"
        assert await people.ask("turn on the kitchen light") == NO_COMMAND
        assert await people.ask("what time is it") == "3:05 PM"


# ---- devices that fail --------------------------------------------------------------------------


async def test_a_device_that_does_not_answer_is_not_said_to_be_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with People(devices=SomeDead("floor lamp")) as people:
        assert await people.ask("turn on the floor lamp") == "Sorry, I can't reach floor lamp"
        assert await people.ask("is the floor lamp on") == "No, off"
        assert people.happened == []
    assert "floor lamp could not be reached: virtual: floor lamp does not answer" in caplog.text


async def test_one_that_fails_keeps_nobody_else_in_the_dark() -> None:
    devices = SomeDead("floor lamp")
    async with People(devices=devices) as people:
        answer = await people.ask("turn on the lights in the living room")
        assert answer == "Sorry, I can't reach floor lamp"
        assert people.on() == ["ceiling light"]
        devices.dead.clear()
        answer = await people.ask("turn on the lights in the living room")
        assert answer == "Turned on the lights"
        devices.dead = {"floor lamp", "ceiling light"}
        answer = await people.ask("turn off the lights in the living room")
        assert answer == "Sorry, I can't reach floor lamp and ceiling light"


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (Call("HassOpenCover"), "there is no tool 'HassOpenCover'"),
        (Call("HassTurnOn", {"name": "attic light"}), "nothing in the house"),
        (Call("HassStartTimer"), "needs a duration"),
        (Call("HassCancelTimer"), "no timers are meant"),
    ],
)
async def test_a_tool_that_cannot_do_it_says_why(call: Call, why: str) -> None:
    async with People() as people:
        with pytest.raises(EngineError, match=why):
            await people.commands.call(call)


# ---- time and date ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("what time is it", "3:05 PM"),
        ("What's the time?", "3:05 PM"),
        ("what's the date", "November 27th, 2026"),
        ("what is today's date", "November 27th, 2026"),
        ("what date is it today", "November 27th, 2026"),
        ("what day is it", "Friday"),
    ],
)
async def test_the_clock_and_the_calendar_are_read(text: str, answer: str) -> None:
    async with People() as people:
        assert await people.ask(text) == answer


@pytest.mark.parametrize(
    ("hour", "minute", "answer"),
    [(0, 0, "12:00 AM"), (9, 7, "9:07 AM"), (12, 30, "12:30 PM"), (23, 59, "11:59 PM")],
)
async def test_every_hour_has_its_name(hour: int, minute: int, answer: str) -> None:
    async with People(now=datetime(2026, 1, 1, hour, minute)) as people:
        assert await people.ask("what time is it") == answer


# ---- stop, and what is none of ours -------------------------------------------------------------


@pytest.mark.parametrize("text", ["stop", "Stop.", "stop talking", "be quiet", "never mind"])
async def test_who_wants_quiet_gets_no_answer(text: str) -> None:
    async with People(is_demo=True) as people:
        answer, done = await people.reply(text)
        assert answer == ""
        assert done.intent in ("AirosStop", "HassNevermind")


@pytest.mark.parametrize(
    "text",
    [
        "tell me a story",
        "open the door",
        "???",
        "{name}",
        "turn on {name}",
        "<turn> on [the] lights",
        "turn on the " * 500,
        "🙂",
        "打开灯",
    ],
)
async def test_what_is_no_command_is_answered_honestly(text: str) -> None:
    async with People() as people:
        answer, done = await people.reply(text)
        assert answer == NO_COMMAND
        assert done.intent is None


# ---- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("TV-2", "tv-2"),
        ("TV-2", "TV 2"),
        ("TV-2", "tv two"),
        ("Tom's lamp", "tom's lamp"),
        ("Tom’s lamp", "Tom's lamp"),
        ("Zigbee Lampe", "Zigbee Lampe."),
        ("Küche", "küche"),
        ("lamp (hall)", "lamp hall"),
        ("LED Strip #3", "led strip three"),
        ("salt & pepper", "salt and pepper"),
        ("lamp 2024", "lamp two zero two four"),
        ("2nd lamp", "second lamp"),
        ("Dr. Who", "Dr. Who"),
        ("卧室灯", "卧室灯"),
        ("Lampe {x} [y]", "lampe {x} [y]"),
    ],
)
async def test_a_name_is_understood_as_it_is_written_and_as_it_is_said(
    name: str, asked: str
) -> None:
    async with People(lights(name)) as people:
        assert await people.ask(f"turn on the {asked}") == "Turned on the light"
        assert people.on() == [name]
        assert await people.ask(f"is the {asked} on") == "Yes"


async def test_a_device_may_be_called_like_its_area() -> None:
    house = Settings(
        (AreaSettings("porch"),),
        (DeviceSettings("porch", area="porch"), DeviceSettings("lantern", area="porch")),
    )
    async with People(house) as people:
        await people.ask("turn on the porch")
        assert people.on() == ["porch"]
        await people.ask("turn on the lights in the porch")
        assert people.on() == ["porch", "lantern"]


async def test_three_hundred_devices_are_told_apart() -> None:
    names = [f"lamp {number}" for number in range(1, 301)]
    async with People(lights(*names)) as people:
        await people.ask("turn on lamp 257")
        await people.ask("turn on lamp forty two")
        assert people.on() == ["lamp 42", "lamp 257"]
        await people.ask("turn on all the lights")
        assert await people.ask("which lights are on") == "lamp 1, lamp 10, lamp 100 and 297 more"


# ---- timers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer", "seconds"),
    [
        ("set a timer for 5 minutes", "5 minutes", 300),
        ("set a timer for five minutes", "five minutes", 300),
        ("start a ten minute timer", "ten minutes", 600),
        ("set a timer for 90 seconds", "90 seconds", 90),
        ("set a timer for one minute", "one minute", 60),
        ("set a timer for a minute", "1 minute", 60),
        ("set a timer for a minute and a half", "1 minute and 30 seconds", 90),
        ("set a timer for two and a half minutes", "two minutes and 30 seconds", 150),
        ("set a timer for half an hour", "30 minutes", 1800),
        ("set a timer for an hour", "1 hour", 3600),
        ("set a timer for an hour and a half", "1 hour and 30 minutes", 5400),
        ("set a timer for an hour and 20 minutes", "1 hour and 20 minutes", 4800),
        ("set a timer for one and a half hours", "one hour and 30 minutes", 5400),
        ("set a timer for 2 hours and 5 minutes", "2 hours and 5 minutes", 7500),
    ],
)
async def test_a_timer_runs_as_long_as_it_says(text: str, answer: str, seconds: int) -> None:
    async with People() as people:
        assert await people.ask(text) == f"Timer set for {answer}"
        assert [timer.seconds for timer in people.timers.running] == [seconds]


@pytest.mark.parametrize(
    ("seconds", "after", "left"),
    [
        (300, 0, "5 minutes left."),
        (300, 61, "4 minutes left."),
        (300, 90, "3 minutes and 30 seconds left."),
        (90, 59, "31 seconds left."),
        (90, 89, "1 second left."),
        (5400, 1, "1 hour and 30 minutes left."),
        (5400, 1801, "1 hour left."),
        (7300, 0, "2 hours left."),
    ],
)
async def test_what_is_left_is_said_as_people_would(seconds: int, after: int, left: str) -> None:
    async with People() as people:
        people.timers.start(seconds)
        await asyncio.sleep(after)
        assert await people.ask("how much time is left") == left
        assert await people.ask("how long is left on the timer") == left


async def test_with_two_timers_one_says_which_is_meant() -> None:
    async with People() as people:
        assert await people.ask("how much time is left on my timer") == "No timers."
        await people.ask("set a timer for 10 minutes")
        await people.ask("set a timer for 90 seconds")
        both = await people.ask("how much time is left on my timer")
        assert (
            both
            == "2 running timers. 1 minute and 30 seconds left on 1 minute and 30 second timer."
        )
        assert await people.ask("how long is left on the ten minute timer") == "10 minutes left."
        nothing = "Sorry, I couldn't find that timer"
        assert await people.ask("how long is left on the 7 minute timer") == nothing
        assert await people.ask("cancel the 7 minute timer") == nothing
        unclear = "Sorry, I am unable to target multiple timers"
        assert await people.ask("cancel the timer") == unclear
        assert await people.ask("cancel the 10 minute timer") == "Timer cancelled"
        assert [timer.seconds for timer in people.timers.running] == [90]
        assert await people.ask("cancel my timer") == "Timer cancelled"
        assert await people.ask("cancel my timer") == nothing


async def test_all_timers_are_cancelled_at_once() -> None:
    async with People() as people:
        await people.ask("set a timer for 10 minutes")
        await people.ask("set a timer for 10 minutes")
        assert await people.ask("cancel all timers") == "Canceled 2 timers."
        assert await people.ask("cancel all my timers") == "No timers were canceled."
        assert people.timers.running == []


async def test_there_is_an_end_to_timers() -> None:
    async with People() as people:
        for _ in range(MOST):
            people.timers.start(60)
        answer = await people.ask("set a timer for 5 minutes")
        assert answer == "Sorry, 50 timers are all I can keep"


# ---- the demonstration house, and other languages -----------------------------------------------


async def test_answers_about_the_demonstration_house_say_that_it_is_one() -> None:
    async with People(demo_house("en"), SomeDead("desk lamp"), is_demo=True) as people:
        for text in (
            "turn on the bedroom lamp",
            "is the bedroom lamp on",
            "turn on the desk lamp",
            "which fans are on in the kitchen",
        ):
            assert (await people.ask(text)).endswith(", in the demo house")
        assert await people.ask("what time is it") == "3:05 PM"
        assert await people.ask("set a timer for an hour") == "Timer set for 1 hour"


@pytest.mark.parametrize(
    ("language", "text", "answer"),
    [
        ("de", "wie spät ist es", "Es ist 15:05"),
        ("de", "schalte kitchen light ein", "Licht eingeschaltet"),
        ("de", "stelle einen timer auf 5 minuten", "Timer für 5 Minuten gestartet"),
        ("de", "ist floor lamp an", "Nein, aus"),
        ("ru", "включи kitchen light", "Light включен"),
        ("ru", "kitchen light включен", "Нет, выключено"),
        ("fr", "allume kitchen light", "Allumé"),
        ("es", "qué hora es", "Son las 3 y 5 de la tarde"),
    ],
)
async def test_other_languages_are_answered_in_their_own_words(
    language: str, text: str, answer: str
) -> None:
    async with People(HOUSE, language=language) as people:
        assert await people.ask(text) == answer


@pytest.mark.parametrize(
    ("language", "set_one", "text"),
    [
        ("de", "stelle einen Timer auf 5 Minuten", "wie viel Zeit ist noch übrig"),
        ("de", "stelle einen Timer auf 5 Minuten", "wie viel Zeit ist noch auf dem Timer"),
        ("fr", "mets un minuteur de 5 minutes", "combien de temps reste-t-il"),
        ("es", "pon un temporizador de 5 minutos", "cuánto tiempo queda"),
        ("it", "imposta un timer di 5 minuti", "quanto tempo manca"),
        ("nl", "zet een timer van 5 minuten", "hoeveel tijd is er nog over"),
        ("pl", "ustaw minutnik na 5 minut", "ile czasu zostało"),
        ("pt", "define um temporizador de 5 minutos", "quanto tempo falta"),
        ("zh", "设一个5分钟的计时器", "还剩多少时间"),
        ("zh-TW", "設一個5分鐘的計時器", "還剩多少時間"),
    ],
)
async def test_what_is_left_of_the_only_timer_is_asked_without_naming_it(
    language: str, set_one: str, text: str
) -> None:
    async with People(HOUSE, language=language) as people:
        await people.ask(set_one)
        said, done = await people.reply(text)
        assert done.intent == "HassTimerStatus"
        assert "5" in said


async def test_chinese_asks_which_lights_are_on() -> None:
    async with People(demo_house("zh"), language="zh") as people:
        await people.ask("打开厨房灯")
        assert await people.ask("哪些灯开着") == "厨房灯"


# ---- what was perhaps said ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "other", "is_same"),
    [
        ("turn on the kitchen light", "turn on the kitchen lights", True),
        ("turn on the kitchen light", "switch on the cooking light", True),
        ("turn on the old fan", "turn on the fans in the living room", True),
        ("turn on the lights", "turn all the lights on", True),
        ("turn on the kitchen light", "turn off the kitchen light", False),
        ("turn on the kitchen light", "turn on the lights", False),
        ("turn on the floor lamp", "turn on the ceiling light", False),
        ("turn on the lights in the cellar", "turn on the fans in the kitchen", False),
        ("set the floor lamp to fifty percent", "set the floor lamp to 50%", True),
        ("set the floor lamp to fifty percent", "set the floor lamp to fifteen percent", False),
        ("is the kitchen light on", "are the kitchen lights on", True),
        ("is the kitchen light on", "is the kitchen light off", False),
        ("are any lights on", "are all lights on", False),
        ("set a timer for ninety seconds", "set a timer for a minute and a half", True),
        ("set a timer for five minutes", "set a timer for nine minutes", False),
        ("set a timer for five minutes", "cancel the five minute timer", False),
        ("how much time is left", "how long is left on my timer", True),
        ("what day is it", "what date is it", False),
        ("stop", "never mind", True),
        ("stop", "what time is it", False),
    ],
)
async def test_what_comes_to_the_same_means_the_same(text: str, other: str, is_same: bool) -> None:
    async with People() as people:
        one, two = (people.commands.understand(each, None) for each in (text, other))
        assert one is not None
        assert two is not None
        assert (people.commands.meaning(one) == people.commands.meaning(two)) is is_same


@pytest.mark.parametrize(
    ("text", "place", "is_grave"),
    [
        ("turn off all the lights", None, True),
        ("turn the lights on", None, True),
        ("cancel all timers", None, True),
        ("turn all the lights off", "kitchen", True),
        ("turn off the lights", "kitchen", False),
        ("turn off the lights in the kitchen", None, False),
        ("turn off the kitchen light", None, False),
        ("cancel the timer", None, False),
        ("set a timer for five minutes", None, False),
        ("are all lights on", None, False),
    ],
)
async def test_what_concerns_all_of_its_kind_is_grave(
    text: str, place: str | None, is_grave: bool
) -> None:
    async with People() as people:
        understood = people.commands.understand(text, place)
        assert understood is not None
        assert understood.is_grave is is_grave


def heard(text: str, *alternatives: str, sure: bool = True) -> Item:
    return Item(text, role="user", text=text, spoken=True, alternatives=alternatives, sure=sure)


async def test_which_timer_is_asked_and_the_one_that_is_answered_is_set() -> None:
    async with People() as people:
        first = heard("set a timer for five minutes", "set a timer for nine minutes")
        question, done = await people.answer(first)
        assert question == "Five or nine minutes?"
        assert "nine minutes" in done.expects
        assert people.timers.running == []
        asked = Item("asked", role="assistant", text=question)
        answer, _ = await people.answer(first, asked, heard("nine"))
        assert answer == "Timer set for nine minutes"
        assert [timer.seconds for timer in people.timers.running] == [540]


async def test_all_the_lights_go_off_after_a_yes_and_stay_after_a_no() -> None:
    async with People() as people:
        await people.ask("turn on the lights")
        first = heard("turn off all the lights", sure=False)
        question, _ = await people.answer(first)
        assert question == "Turn off all the lights?"
        asked = Item("asked", role="assistant", text=question)
        assert (await people.answer(first, asked, heard("no")))[0] == "Okay."
        assert (await people.answer(first, asked, heard("never mind")))[0] == ""
        assert people.on() == KITCHEN + LIVING_ROOM
        await people.answer(first, asked, heard("yes"))
        assert people.on() == []

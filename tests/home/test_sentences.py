"""The sentences that are served, in writing and to be listened for."""

import logging

import pytest

from airos_edge.errors import ConfigError
from airos_edge.home.house import DeviceSettings, House, Settings, VirtualDevices
from airos_edge.home.sentences import compile_sentences
from airos_edge.voice.grammar import Grammar
from airos_edge.voice.utterance import Judgement
from tests.home.people import HOUSE, People, lights, sentences


def judge(text: str, grammar: Grammar | None = None) -> Judgement | None:
    return (grammar or sentences(HOUSE).grammar).judge(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "turn on the kitchen light",
        "turn the floor lamp off",
        "switch on the cooking light",
        "could you turn off the coffee machine",
        "turn on the lights in the living room",
        "turn off all the lights",
        "set the kitchen light to fifty percent",
        "set the brightness of the floor lamp to seventy five percent",
        "set the living room lights to ten percent",
        "is the old fan on",
        "which lights are on in the kitchen",
        "is the light on in the living room",
        "what time is it",
        "what's the date",
        "what day is it",
        "set a timer for five minutes",
        "set a timer for an hour and a half",
        "cancel the five minute timer",
        "cancel all timers",
        "how much time is left on my timer",
        "how long is left on the ten minute timer",
        "stop",
        "never mind",
    ],
)
async def test_what_can_be_listened_for_is_understood(text: str) -> None:
    async with People() as people:
        assert judge(text) in (Judgement.OPEN, Judgement.COMPLETE)
        assert people.commands.understand(text, None) is not None


@pytest.mark.parametrize(
    ("text", "judgement"),
    [
        ("turn on the", Judgement.PREFIX),
        ("turn on the living room", Judgement.PREFIX),
        ("set a timer for five", Judgement.PREFIX),
        ("turn on the lights", Judgement.OPEN),
        ("set a timer for an hour", Judgement.OPEN),
        ("turn on the floor lamp", Judgement.COMPLETE),
        ("turn the coffee machine off", Judgement.COMPLETE),
        ("turn off all the lights", Judgement.COMPLETE),
        ("turn on all the lights", Judgement.COMPLETE),
        ("which lights are on", Judgement.OPEN),
        ("turn on the lights in the kitchen", Judgement.COMPLETE),
        ("set the kitchen light to fifty percent", Judgement.COMPLETE),
        ("is the floor lamp on", Judgement.COMPLETE),
        ("what time is it", Judgement.COMPLETE),
        ("what's the date", Judgement.COMPLETE),
        ("cancel the timer", Judgement.OPEN),
        ("never mind", Judgement.COMPLETE),
        ("set a timer for five minutes please", None),
        ("kitchen light", None),
        ("the weather is fine", None),
    ],
)
def test_words_are_judged_by_what_else_the_house_understands(
    text: str, judgement: Judgement | None
) -> None:
    assert judge(text) is judgement


@pytest.mark.parametrize(
    ("name", "spoken"),
    [("TV-2", "tv two"), ("Tom's lamp", "tom's lamp"), ("Küche", "küche"), ("A/C", "a c")],
)
def test_a_name_is_listened_for_as_it_is_said(name: str, spoken: str) -> None:
    grammar = sentences(lights(name)).grammar
    assert judge(f"turn on the {spoken}", grammar) in (Judgement.OPEN, Judgement.COMPLETE)


def test_of_a_device_that_cannot_be_said_the_owner_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    devices = (DeviceSettings("卧室灯"), DeviceSettings("客厅灯", aliases=("floor lamp",)))
    house = House(Settings(devices=devices), VirtualDevices(), lambda event: None)
    with caplog.at_level(logging.WARNING):
        compile_sentences(house, "en")
    (record,) = caplog.records
    assert "'卧室灯' can be typed but not said; an alias" in record.message


def test_a_house_of_three_hundred_devices_has_a_grammar_no_larger_than_its_names() -> None:
    few = sentences(lights("lamp 1")).grammar
    many = sentences(lights(*(f"lamp {number}" for number in range(1, 301)))).grammar
    assert len(many.arcs) < len(few.arcs) + 300


def test_an_empty_house_listens_for_what_needs_no_device() -> None:
    grammar = sentences(Settings()).grammar
    assert judge("what time is it", grammar) is Judgement.COMPLETE
    assert judge("turn on the kitchen light", grammar) is None


def test_the_grammar_is_english_or_none() -> None:
    assert sentences(HOUSE, "de").grammar.words == frozenset()
    with pytest.raises(ConfigError, match="language: there are no sentences in 'tlh'"):
        sentences(HOUSE, "tlh")

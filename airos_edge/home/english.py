"""What English adds to Home Assistant's sentences, and which of all those are listened for."""

import re
from collections.abc import Mapping
from typing import Any

_SET = "<timer_set> [a|the|my] timer for"
OWN: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    # What people say, too, in English. The answers are still the package's where it has one.
    "HassTurnOn": (
        {
            # The package's own block for where one is comes before it.
            "sentences": [
                "<turn> on [<the>] lights",
                "<turn> [<the>] lights on",
                "<turn> on <all> (<the> lights|lights)",
                "<turn> <all> (<the> lights|lights) on",
            ],
            "slots": {"domain": "light"},
            "response": "light_all",
        },
    ),
    "HassTurnOff": (
        {
            "sentences": [
                "<turn> (off|out) [<the>] lights",
                "<turn> [<the>] lights (off|out)",
                "<turn> off <all> <the> lights",
                "<turn> <all> <the> lights off",
            ],
            "slots": {"domain": "light"},
            "response": "light_all",
        },
    ),
    "HassLightSet": (
        {
            "sentences": [
                "<numeric_value_set> [<the>] {area} <light> to {brightness}[([ ]%)| percent]"
            ],
            "slots": {"domain": "light"},
            "response": "brightness",
        },
    ),
    "HassGetState": (
        {
            "sentences": [
                "<is> [<the>] <light> {on_off_states:state} <in> [<the>] {area}",
                "<is> [<the>] {area} <light> {on_off_states:state}",
                "<is> [<the>] lights {on_off_states:state}",
            ],
            "slots": {"domain": "light"},
            "response": "any",
        },
    ),
    "HassGetCurrentDate": (
        {"sentences": ["what day is it [today]"], "response": "weekday"},
        {"sentences": ["what date is it [today]"], "response": "default"},
    ),
    "HassStartTimer": (
        {"sentences": [f"{_SET} a minute"], "slots": {"minutes": 1}},
        {"sentences": [f"{_SET} a minute and a half"], "slots": {"minutes": 1, "seconds": 30}},
        {"sentences": [f"{_SET} an hour"], "slots": {"hours": 1}},
        {
            "sentences": [f"{_SET} (an|one) hour and a half"],
            "slots": {"hours": 1, "minutes": 30},
        },
        {
            "sentences": [f"{_SET} an hour and {{timer_minutes:minutes}} minute[s]"],
            "slots": {"hours": 1},
        },
    ),
    "HassTimerStatus": ({"sentences": ["how (much time|long) is left [on (the|my) timer]"]},),
    "AirosStop": ({"sentences": ["stop [talking]", "be quiet"]},),
}
OWN_RESPONSES: Mapping[str, Mapping[str, str]] = {
    "AirosStop": {"default": ""},
    "HassGetCurrentDate": {"weekday": "{{ slots.date.strftime('%A') }}"},
}
SPOKEN_RULES = {
    # What people say of what they might write. A recogniser mistakes rare words for common ones, so
    # each word that it listens for and nobody says costs accuracy.
    "the": "the",
    "all": "all",
    "in": "in",
    "light": "(light|lights)",
    "turn": "(turn|switch)",
    "home": "house",
    "everywhere": "everywhere",
    "here": "here",
    "which": "which",  # "what light is off" is heard for "never mind"
    "any": "any",
    "is": "(is|are)",
    "what_is": "(what's|what is|tell me)",
    "timer_set": "(set|start)",
    "timer_cancel": "(cancel|stop)",
    "numeric_value_set": "(set|change|turn)",
}
VERB_LEFT_OUT = re.compile(r"^\[<(turn|numeric_value_set|timer_set)>\]")
"""Written, "kitchen light on" will do; spoken, a sentence without its verb is mostly something else."""
ENDING_LEFT_OUT = re.compile(r" \[(brightness|today|\[right\] now)\]$")
"""Hardly ever said, and with it no sentence would be known to be whole before it had gone on."""
UNSPOKEN = re.compile(
    r"^[\[{]|^<light>|^fan|activate|illuminate|light up|^timers? |^light |get every|make sure|^nevermind"
    r"|^\(do you know|^<how_is>|\{name\} <light>"
)
"""Templates that are not listened for, by what they begin with or hold. With "desk lamp light" no
"desk lamp" would be known to be whole."""

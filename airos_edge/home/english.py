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
    "fan": "(fan|fans)",
    "switch": "(switch|switches)",
    **{"one_light": "light", "one_fan": "fan", "one_switch": "switch"},
    **{"many_light": "lights", "many_fan": "fans", "many_switch": "switches"},
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
_THINGS = r"((?:\{area\} )?)<(light|fan|switch)>"
SPOKEN_FORMS = (
    # How a written template becomes one that is listened for, each change after those before it.
    # Written, "kitchen light on" will do; spoken, a sentence without its verb is mostly something else.
    (r"^\[<(turn|numeric_value_set|timer_set)>\]", r"<\1>"),
    # Hardly ever said, and with it no sentence would be known to be whole before it had gone on.
    (r" \[(brightness|today|\[right\] now)\]$", ""),
    (r"^<is>", "is"),  # one device; "are" is heard for "turn"
    (r"\[\(<all>\|<the>\)\]", "[<the>]"),
    (r"\[<all>\] ", ""),
    # Were "the" left out, "turn on" alone would be taken for "turn on lights".
    (r"\[<the>\] lights", "<the> lights"),
    # One is, several are.
    (r"fan\[s\]", "<fan>"),
    (r"switch\[es\]", "<switch>"),
    (rf"<are_any> {_THINGS}", r"(is any \1<one_\2>|are any \1<many_\2>)"),
    (rf"<are_all> {_THINGS}", r"are all [<the>] \1<many_\2>"),
    (rf"<which> {_THINGS} <is>", r"which (\1<one_\2> is|\1<many_\2> are)"),
    (rf"<how_many> {_THINGS} <is>", r"how many \1<many_\2> are"),
    # The small words are said.
    (r"\[<in>\]", "<in>"),
    (r"brightness \[of\]", "brightness of"),
    (r" \[to\] (on|off|\(off\|out\))$", r" \1"),
    (r"\[to\]", "to"),
    # "A five minute timer", "a timer for five minutes".
    (r"\[a\|an\|the\|my\] timer for", "[a|my] timer for"),
    (r"\[a\|an\|the\|my\]", "[a|an|my]"),
    (r"(\{timer_\w+:\w+\})\( \|-\)(\w+)\[s\] timer", r"\1 \2 timer"),
    (r"(\{timer_\w+:\w+\})\( \|-\)(\w+)\[s\]", r"(\1 \2s|one \2)"),
)
UNSPOKEN = re.compile(
    r"^[\[{]|^\(\{|^<light>|^fan|activate|illuminate|light up|^timers? |^light |get every|make sure|^nevermind"
    r"|^\(do you know|^<how_is>|\{name\} <light>|percent\] brightness|status"
)
"""Templates that are not listened for, by what they begin with or hold. With "desk lamp light" no
"desk lamp" would be known to be whole."""

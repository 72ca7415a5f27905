"""What the box says of its own accord, in each language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.resources import files
from typing import Any

from airos_edge.voice.tags import nearest

ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Phrases:
    """Of one language. What stands in braces is filled in; the English originals are in `en.yaml`.

    No phrase may need another form of what is filled in, since that is any name.
    """

    language: str
    """Its tag. Of one that has no file, the rest is English but for what Home Assistant has of it."""
    apology: str
    timer_over: str
    code: str
    table: str
    not_heard: str
    no_command: str
    given_up: str
    still_there: str
    not_from_there: str
    which: str
    whether: str
    places: tuple[tuple[str, ...], ...]
    """By which the first, the second and the third of what was offered is meant."""
    ask: str
    """Of a `what` such as `turn_off` of `all_lights`."""
    done: str
    not_done: str
    yes: tuple[str, ...]
    """These are listened for, so they are few; `agreed` are others that mean it."""
    no: tuple[str, ...]
    agreed: tuple[str, ...]
    refused: tuple[str, ...]
    turn_on: str
    turn_off: str
    set_brightness: str
    cancel_timers: str
    everything: str
    all_lights: str
    all_switches: str
    all_fans: str
    use_tool: str
    with_arguments: str
    more: str
    no_timers: str
    most_timers: str
    unreachable: str
    several: str
    """The last of some names, and those before it."""
    on: str
    off: str
    labelled: str
    in_demo: str

    def names(self, names: Sequence[str]) -> str:
        """ "A, B and C"."""
        *most, last = names
        return self.several.format(most=", ".join(most), last=last) if most else last


@cache
def phrases(language: str) -> Phrases:
    """Those of the nearest language that has some."""
    tag = nearest(language, languages())
    if tag is not None:
        told = contents(tag)["says"]
        return Phrases(language=tag, **{key: _frozen(value) for key, value in told.items()})
    return replace(phrases(ENGLISH), language=language, **_of_home_assistant(language))


@cache
def languages() -> tuple[str, ...]:
    """Those that have a file."""
    found = (file.name for file in files(__package__).iterdir())
    return tuple(sorted(name[: -len(".yaml")] for name in found if name.endswith(".yaml")))


@cache
def contents(tag: str) -> Mapping[str, Any]:
    """What the file of one of `languages` says."""
    import yaml

    text = files(__package__).joinpath(f"{tag}.yaml").read_text(encoding="utf-8")
    told: Mapping[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return told


def says_all(language: str) -> bool:
    """Whether all that the box says of its own is in it, and not in English instead."""
    return nearest(language, languages()) is not None


def _of_home_assistant(language: str) -> dict[str, Any]:
    """What its sentences have of ours: two errors, in sixty languages."""
    from home_assistant_intents import get_intents, get_languages

    tag = nearest(language, get_languages())
    found = get_intents(tag) if tag else None
    if found is None:
        return {}
    errors = found["responses"]["errors"]
    not_heard = dict.fromkeys(("not_heard", "no_command"), errors["no_intent"])
    return {**not_heard, "apology": errors["handle_error"], "not_done": errors["handle_error"]}


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


NAMES = tuple(field.name for field in fields(Phrases) if field.name != "language")

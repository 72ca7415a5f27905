"""Two runs of one session, compared: what the server said then, and now.

Events are compared within what they are about: a response, an item, the words of a recording. In which
order a transcript and an answer to something else come is nobody's promise. Set aside are times, sound,
what was said, counts of tokens, and how many deltas it came in; ids are named by who first brings them.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from airos_edge.realtime.replay import is_id

Event = Mapping[str, Any]

LEFT_OUT = {"event_id", "obfuscation", "expires_at", "usage", "rate_limits", "logprobs"}
SOUND = {"delta", "audio"}
TEXTS = {"transcript", "text", "arguments", "output"}
"""Set aside where they are text: a session has an `audio` of another kind, a response an `output`."""
TIMES = {"audio_start_ms", "audio_end_ms"}


def differences(
    recorded: Iterable[Event], now: Iterable[Event], with_texts: bool = False
) -> list[str]:
    """Lines to be read; none: they are the same. `with_texts`: what was said counts, too."""
    aside = {*SOUND} if with_texts else {*SOUND, *TEXTS}
    before, after = _lanes(recorded, aside), _lanes(now, aside)
    told = []
    for lane in dict.fromkeys([*before, *after]):
        lines = list(_compared(before.get(lane, []), after.get(lane, [])))
        told += [f"{lane}:", *(f"  {line}" for line in lines)] if lines else []
    return told


Leaves = dict[str, str]
"""What an event holds, by the path to it."""


def _lanes(events: Iterable[Event], aside: Collection[str]) -> dict[str, list[Leaves]]:
    names, lanes = Names(), dict[str, list[Leaves]]()
    seen: set[tuple[str, str]] = set()
    for event in events:
        kind = event["type"]
        shown = _shown(event, names, kind, aside)
        lane = _lane(event, names)
        if kind.endswith(".delta"):
            whose = (kind, str(event.get("item_id")))
            if whose in seen:
                continue
            seen.add(whose)
            lane = f"{kind} of {lane}"
        lanes.setdefault(lane, []).append(dict(_leaves(shown)))
    return lanes


class Names:
    """Ids by the event and the field that first brought them, since those of today are others."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._counts = Counter[str]()

    def of(self, value: str, field: str, kind: str) -> str:
        if value not in self._names:
            what = f"{kind}.{field}"
            self._counts[what] += 1
            self._names[value] = f"<{what} {self._counts[what]}>"
        return self._names[value]

    def within(self, text: str) -> str:
        """The text, with the names of the ids that are in it."""
        for value, name in self._names.items():
            if len(value) > 8 and value in text:
                text = text.replace(value, name)
        return text


def _lane(event: Event, names: Names) -> str:
    kind = event["type"]
    response_id, item_id = _id_in(event, "response"), _id_in(event, "item")
    if response_id:
        return f"response {names.of(response_id, 'id', kind)}"
    if item_id and "input_audio_transcription" in kind:
        return f"words of {names.of(item_id, 'id', kind)}"
    if item_id:
        return f"item {names.of(item_id, 'id', kind)}"
    return "rate limits" if kind == "rate_limits.updated" else "session"


def _id_in(event: Event, what: str) -> str:
    """Of the response or item that it is about; "" for none. Nobody knows what a server may send."""
    whole = event.get(what)
    found = event.get(f"{what}_id") or (whole.get("id") if isinstance(whole, Mapping) else None)
    return str(found) if found else ""


def _shown(value: Any, names: Names, kind: str, aside: Collection[str], field: str = "") -> Any:
    """With what is compared, and nothing else."""
    if isinstance(value, dict):
        kept = {key: part for key, part in value.items() if key not in LEFT_OUT}
        return {key: _shown(part, names, kind, aside, key) for key, part in kept.items()}
    if isinstance(value, list):
        return [_shown(part, names, kind, aside, field) for part in value]
    if field in TIMES or (isinstance(value, str) and field in aside):
        return "…"
    if isinstance(value, str):
        return names.of(value, field, kind) if is_id(field) else names.within(value)
    return value


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for place, part in enumerate(value):
            yield from _leaves(part, f"{path}[{place}]")
    else:
        yield path, json.dumps(value, ensure_ascii=False)


def _compared(before: Sequence[Leaves], after: Sequence[Leaves]) -> Iterator[str]:
    """By their types first, then those of one type by what they hold."""
    kinds_before = [leaves["type"] for leaves in before]
    kinds_after = [leaves["type"] for leaves in after]
    matcher = SequenceMatcher(None, kinds_before, kinds_after, autojunk=False)
    for what, begin, end, its_begin, its_end in matcher.get_opcodes():
        if what == "equal":
            for one, other in zip(before[begin:end], after[its_begin:its_end], strict=True):
                yield from _fields(one, other)
            continue
        yield from (f"- {json.loads(kind)}" for kind in kinds_before[begin:end])
        yield from (f"+ {json.loads(kind)}" for kind in kinds_after[its_begin:its_end])


def _fields(one: Leaves, other: Leaves) -> Iterator[str]:
    for path in dict.fromkeys([*one, *other]):
        before, after = one.get(path, "absent"), other.get(path, "absent")
        if before != after:
            yield f"{json.loads(one['type'])}: {path} was {before}, is {after}"

"""Which engine each port of a box gets, and why."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import takewhile
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from airos_edge.engines import lease, locate, registry
from airos_edge.engines.registry import ELSEWHERE, GRAMMAR, Engine, Port
from airos_edge.engines.settings import (
    AsrSettings,
    Engines,
    TtsSettings,
    VadSettings,
    WakeSettings,
)
from airos_edge.models import catalogue, speed
from airos_edge.models.stored import StoredModel, find
from airos_edge.network import place_of_url
from airos_edge.voice.ports import Place
from airos_edge.wyoming.settings import address_of


class Settings(Protocol):
    """What of the configuration decides about engines."""

    @property
    def language(self) -> str: ...
    @property
    def languages(self) -> Sequence[str]: ...
    @property
    def wake(self) -> WakeSettings: ...
    @property
    def vad(self) -> VadSettings: ...
    @property
    def asr(self) -> AsrSettings: ...
    @property
    def tts(self) -> TtsSettings: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine a port gets, by name or by where it is, and why; `engine` None: none, and `why` says
    what would mend it."""

    port: Port
    engine: str | None
    why: str
    place: Place = Place.LOCAL
    model: StoredModel | None = None
    """What the engine runs; None: what its package brings, or what runs elsewhere."""
    others: "tuple[Choice, ...]" = ()
    """Who stands in, in this order, while it is not ready or fails."""
    is_tried: bool = False
    """`auto` took it, without knowing whether it is quick enough on this box: it is timed before it serves."""


def named(choice: Choice) -> str:
    """The engine, and with which model."""
    name = choice.engine or choice.port
    return f"{name} with {choice.model.name}" if choice.model else name


def never_too_slow(choice: Choice) -> str:
    return ""


def is_installed(part: str) -> bool:
    return locate(part) is not None


def choose(
    port: Port,
    wanted: Engines = "auto",
    language: str = "en",
    installed: Callable[[str], bool] = is_installed,
    stored: Sequence[StoredModel] = (),
    model: str | None = None,
    too_slow: Callable[[Choice], str] = never_too_slow,
    languages: Sequence[str] = (),
) -> Choice:
    """The wanted engine, or of `auto` the best, that is installed, has a model and knows the language;
    or a service elsewhere, by its URI. Of several wanted, the first of which that is so; the next stand in.

    `stored`: the models on the box; `model`: the one that is wanted, by its name or path. Imports
    nothing. What is chosen may still fail to open: a package can be there and broken. `too_slow` says of
    one that was timed on this box what keeps `auto` from it, "" if nothing does. `languages`: others that are
    spoken too; who knows more of them is better.
    """
    names = (wanted,) if isinstance(wanted, str) else wanted
    choices: list[Choice] = []
    passed_over: list[str] = []
    for name in names:
        found, obstacles = _candidates(
            port, name, language, installed, stored, model, too_slow, languages
        )
        choices += found
        passed_over += obstacles
    if not choices:
        return Choice(port, None, "; ".join(passed_over) or "none is wanted")
    first, *others = choices
    why = "; ".join([first.why, *passed_over])
    return replace(first, why=why, others=tuple(others))


def _candidates(
    port: Port,
    wanted: str,
    language: str,
    installed: Callable[[str], bool],
    stored: Sequence[StoredModel],
    model: str | None,
    too_slow: Callable[[Choice], str],
    languages: Sequence[str],
) -> tuple[list[Choice], list[str]]:
    """Who could be taken, the best first, and what keeps others from it."""
    if is_uri(wanted):
        choice = _elsewhere(port, wanted)
        return ([choice], []) if choice.engine else ([], [choice.why])
    if wanted == "auto":
        rows = registry.ENGINES[port]
    else:
        row = registry.find(port, wanted)
        rows = (row,) if row is not None else ()
    if not rows:
        names = [engine.name for engine in registry.engines(port)]
        near = get_close_matches(wanted, names, n=1) or ["auto", *names]
        return [], [f"there is no {wanted!r}; try {' or '.join(near)}"]
    able: list[Choice] = []
    without: list[StoredModel | None] = [None]
    obstacles: dict[str, str] = {}
    for engine in rows:
        obstacle = obstacle_of(engine, language, installed)
        models = list(_models(engine, port, language, stored, model))
        if obstacle is None and engine.runs_models and not models:
            obstacle = _no_model(engine, port, language, model)
        if obstacle is not None:
            obstacles[engine.name] = f"{engine.name} {obstacle}"
            continue
        why = engine.why if wanted == "auto" else "as configured"
        able += [Choice(port, engine.name, why, model=one) for one in models or without]
    if not able:
        return [], list(obstacles.values())
    able.sort(key=lambda one: (_known(one, stored, languages), _quality(one)), reverse=True)
    if wanted != "auto":
        return able[:1], []
    slow = {choice: why for choice in able if choice.model and (why := too_slow(choice))}
    quick = [replace(choice, is_tried=bool(choice.model)) for choice in able if choice not in slow]
    in_order = [*quick, *slow]
    before = takewhile(lambda engine: engine.name != in_order[0].engine, rows)
    better = [obstacles[engine.name] for engine in before if engine.name in obstacles]
    return in_order, [*better, *slow.values()]


def _models(
    engine: Engine, port: Port, language: str, stored: Sequence[StoredModel], wanted: str | None
) -> Iterator[StoredModel]:
    """What the engine could run: of the language, or the one that is wanted."""
    if not engine.runs_models:
        return
    mine = [model for model in stored if (model.task, model.engine) == (port, engine.name)]
    if wanted is None:
        yield from (model for model in mine if model.speaks(language))
    elif (named := find(mine, wanted)) is not None:
        yield named
    elif "/" in wanted:
        path = Path(wanted).expanduser()
        if path.exists() and port != "vad":
            yield StoredModel(path.name, port, engine.name, path)


def _no_model(engine: Engine, port: Port, language: str, wanted: str | None) -> str:
    if wanted is not None:
        return f"has no model {wanted!r}: `airos models list` shows those that are on this box"
    known = [] if port == "vad" else catalogue.recommended(port, language)
    mine = [entry for entry in known if entry.engine == engine.name]
    if (entry := speed.best(mine, speed.this_machine())) is not None:
        return f"has no model for {language!r}: airos models get {entry.name}"
    return f"has no model for {language!r}, and the catalogue recommends none"


def _quality(choice: Choice) -> int:
    return choice.model.quality if choice.model else 0


def _known(choice: Choice, stored: Sequence[StoredModel], languages: Sequence[str]) -> int:
    """How many of them: ears by the model that hears, a voice by all that its engine has on this box."""
    if choice.model is None:
        return 0
    mine = [one for one in stored if (one.task, one.engine) == (choice.port, choice.engine)]
    models = [choice.model] if choice.port == "asr" else [choice.model, *mine]
    return sum(any(model.speaks(language) for model in models) for language in languages)


def is_uri(engine: str) -> bool:
    return "://" in engine


def _elsewhere(port: Port, uri: str) -> Choice:
    if port == "vad":
        return Choice(port, None, "is not to be had elsewhere; try auto")
    spoken = ELSEWHERE.get(uri.partition("://")[0], "wyoming")
    if spoken != "wyoming" and port == "wake":
        return Choice(port, None, f"{uri}: wants tcp://host:port or unix:///path")
    try:
        if spoken == "wyoming":
            address_of(uri)
        elif not urlsplit(uri).hostname:
            return Choice(port, None, f"{uri}: wants http://host:port/v1 or https://…")
    except ValueError as error:
        return Choice(port, None, str(error))
    place = place_of_url(uri)
    where = {Place.LOCAL: "on this box", Place.EDGE: "in this LAN", Place.CLOUD: "in the cloud"}
    kind = {"wyoming": "a Wyoming service", "openai": "a server of OpenAI's API"}[spoken]
    return Choice(port, uri, f"{kind} {where[place]}, as configured", place)


def choose_all(
    settings: Settings,
    stored: Sequence[StoredModel] = (),
    too_slow: Callable[[Choice], str] = never_too_slow,
) -> list[Choice]:
    def chosen(port: Port, wanted: Engines, model: str | None = None) -> Choice:
        return choose(
            port,
            wanted,
            settings.language,
            stored=stored,
            model=model,
            too_slow=too_slow,
            languages=settings.languages,
        )

    return [
        chosen("wake", settings.wake.engine),
        chosen("vad", settings.vad.engine),
        chosen("asr", settings.asr.engine, settings.asr.model),
        chosen("tts", settings.tts.engine, settings.tts.model),
    ]


def obstacle_of(
    engine: Engine, language: str, installed: Callable[[str], bool] = is_installed
) -> str | None:
    """What keeps the engine from being used here, with what mends it."""
    if engine.languages and language.partition("-")[0] not in engine.languages:
        return f"knows no language but {', '.join(engine.languages)}"
    missing = [part for part in engine.needs if not installed(part)]
    if missing:
        return f"lacks {' and '.join(missing)}: pip install '{engine.install}'"
    return None


def within_reach(choice: Choice, reach: Place) -> Choice:
    """Without those that are further away, which its `why` names; as it is where all of them are."""
    all_of_them = (replace(choice, others=()), *choice.others)
    within = [one for one in all_of_them if one.place <= reach]
    if len(within) in (0, len(all_of_them)):
        return choice
    beyond = [f"{one.engine} is beyond `reach`" for one in all_of_them if one.place > reach]
    first, *others = within
    return replace(first, why="; ".join([first.why, *beyond]), others=tuple(others))


def with_grammar(choice: Choice, settings: Settings) -> Choice:
    """Whoever hears, the grammar of commands stands in, where it is wanted and knows the language. One that is
    beyond reach is refused all the same: it has to be left out before."""
    if choice.port != "asr":
        return choice
    has_it = any(one.engine == GRAMMAR for one in (choice, *choice.others))
    if choice.engine is None or has_it or not settings.asr.grammar:
        return choice
    stand_in = replace(choose("asr", GRAMMAR, settings.language), why="hears commands")
    return replace(choice, others=(*choice.others, stand_in)) if stand_in.engine else choice


def refuse_beyond(choice: Choice, reach: Place) -> None:
    """Raises ReachError if the engine is further away. Of what is leased the lease sees to it too."""
    lease.refuse_beyond(choice.engine or choice.port, choice.place, reach)

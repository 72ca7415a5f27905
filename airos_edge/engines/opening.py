"""How a chosen engine is opened."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

from airos_edge.engines.choosing import Choice, is_uri
from airos_edge.engines.registry import ELSEWHERE, Engine, find
from airos_edge.engines.wanted import WakeWords, WantedAsr, WantedTts, WantedVad, WantedWake
from airos_edge.engines.word_engines import open_words
from airos_edge.errors import EngineUnavailable
from airos_edge.voice.ports import Asr, Tts, Vad, Wake


def opener(choice: Choice) -> Callable[..., Any]:
    """The function that opens the chosen engine. Only now is the engine's file imported.

    Raises EngineUnavailable for one of another package that cannot be imported.
    """
    assert choice.engine is not None
    if is_uri(choice.engine):
        spoken = ELSEWHERE[choice.engine.partition("://")[0]]
        module = import_module(f"{__package__}.{choice.port}_{spoken}")
        opened_by: Callable[..., Any] = getattr(module, f"open_{choice.port}")
        return opened_by
    engine = _row(choice)
    if not engine.is_foreign:
        return engine.opener()
    try:
        return engine.opener()
    except Exception as error:  # boundary: what another package does when it is imported
        why = f"{engine.opened_by} cannot be loaded: {error}"
        raise EngineUnavailable(engine.name, why) from error


def is_quick(choice: Choice) -> bool:
    """Whether it is there at once: it runs no model of its own, or runs elsewhere. What another package
    does when it is opened is not known."""
    if choice.engine is None or is_uri(choice.engine):
        return True
    return choice.model is None and not _row(choice).is_foreign


def package_of(choice: Choice) -> str:
    """What the engine is installed by; "airos-edge" for a service elsewhere."""
    if choice.engine is None or is_uri(choice.engine):
        return "airos-edge"
    return _row(choice).package


def _row(choice: Choice) -> Engine:
    found = find(choice.port, choice.engine or "")
    assert found is not None, f"{choice.engine} was chosen, and is no more"
    return found


def _uri(choice: Choice) -> str:
    return choice.engine if choice.engine and is_uri(choice.engine) else ""


def open_wake(choice: Choice, wanted: WantedWake) -> WakeWords:
    """Each word by the chosen engine, or of `auto` by the one that has it.

    Raises EngineUnavailable when none of them can be heard.
    """

    def opened_by(one: Choice) -> Callable[[WantedWake], Callable[[], Wake]]:
        return lambda words: opener(one)(replace(words, uri=_uri(one), place=one.place))

    engines = {one.engine: opened_by(one) for one in (choice, *choice.others) if one.engine}
    return open_words(engines, wanted)


def open_vad(choice: Choice, wanted: WantedVad) -> Callable[[], Vad]:
    """Each call of what it gives is a new stream. Raises EngineUnavailable."""
    streams: Callable[[], Vad] = opener(choice)(wanted)
    return streams


def open_asr(choice: Choice, wanted: WantedAsr) -> Asr:
    """Blocks while it is loaded. Raises EngineUnavailable."""
    told = replace(wanted, model=choice.model, uri=_uri(choice), place=choice.place)
    asr: Asr = opener(choice)(told)
    return asr


def open_tts(choice: Choice, wanted: WantedTts) -> Tts:
    """Blocks while it is loaded. Raises EngineUnavailable."""
    told = replace(wanted, model=choice.model, uri=_uri(choice), place=choice.place)
    tts: Tts = opener(choice)(told)
    return tts

"""Which models a house is to bring: one answer, for the command that brings them and for all that only say so."""

from collections.abc import Collection, Mapping, Sequence

from airos_edge.engines import choosing, llm, registry
from airos_edge.engines.settings import Engines
from airos_edge.models import catalogue, speed
from airos_edge.models.catalogue import Entry
from airos_edge.models.stored import Task

ADVISED: Mapping[Task, str] = {"asr": "ears", "tts": "a voice"}
"""What every house wants, and how it is called."""


def advised(
    task: Task, languages: Collection[str], wanted: Engines = "auto"
) -> Mapping[str, Entry]:
    """By language, the best model that this box is fast enough for, or the smallest; a language of which
    nothing good is known is left out.

    One model hears at a time, so ears are to know all the languages. Voices may be several, of one engine.
    `wanted`: as configured. Of what is known, what can be run with what is installed comes first.
    """
    known: dict[str, Sequence[Entry]]
    known = {language: catalogue.recommended(task, language) for language in languages}
    if task == "asr":
        each = dict.fromkeys(one for found in known.values() for one in found)
        know_all = [one for one in each if all(map(one.speaks, languages))]
        known = {language: know_all or found for language, found in known.items()}
    elif speakers := [{one.engine for one in found} for found in known.values() if found]:
        speak_all = set.intersection(*speakers)
        known = {language: _run_by(speak_all, found) for language, found in known.items()}
    engines, machine = {wanted} if isinstance(wanted, str) else {*wanted}, speed.this_machine()
    told: dict[str, Entry] = {}
    for language, found in known.items():
        of_wanted = _run_by(engines, found)
        able = [one for one in of_wanted if to_install(one) is None]
        if (best := speed.best(able or of_wanted, machine)) is not None:
            told[language] = best
    return told


def _run_by(engines: Collection[str], found: Sequence[Entry]) -> Sequence[Entry]:
    """All of them, where these engines run none."""
    return [one for one in found if one.engine in engines] or found


def to_install(entry: Entry) -> str | None:
    """What to give pip before the model can be run; None: all is there."""
    if entry.task == "llm":
        return None if entry.engine in llm.ENGINES else entry.engine
    row = registry.find(entry.task, entry.engine)
    if row is None:
        return entry.engine
    missing = [part for part in row.needs if not choosing.is_installed(part)]
    return row.install if missing else None

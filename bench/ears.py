"""What a box's ears make of commands and of what is none: the corpus through all of them, from VAD to house.

`python -m bench ears` prints tables in Markdown, and leaves them in bench/results/. All times are
those of the audio, so nothing here depends on the machine. flite's voices are held out: of them it
tells how often something went wrong, and never what, so that nothing is chosen by it.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import median

from airos_edge.box import Box, open_box
from airos_edge.config import Config
from airos_edge.engines.settings import AsrSettings
from airos_edge.listening import play
from airos_edge.virtual_time import VirtualTimeLoop
from airos_edge.voice.audio import AudioChunk
from bench.corpus import recipes, voices
from bench.corpus.recipes import Kind, Recipe
from bench.figures import RESULTS, Figure, markdown, p95
from bench.heard import (
    Heard,
    Question,
    Verdict,
    is_refused,
    questions_of,
    speculation,
    with_refused,
)

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
PROCESSES = 2
COUNT, QUICK = 60, 8
"""So many recordings of each condition; of what is no command, in a quick run only so many of a kind."""
AT_20_DB = tuple(f"{noise} 20" for noise in recipes.NOISES)
AT_10_DB = tuple(f"{noise} 10" for noise in recipes.NOISES)
KINDS: tuple[Kind, ...] = ("talk", "near", "broken", "sound")
TALK: tuple[Kind, ...] = ("talk", "near")
VERDICTS: tuple[Verdict, ...] = ("right", "wrong", "nothing", "asked back")
"""Of a command."""
ACCEPTED: tuple[Verdict, ...] = ("wrong", "asked back")
"""Of what is no command."""


@dataclass(frozen=True)
class Group:
    """Voices, and the most that may not be right at 20 and at 10 dB, in percent."""

    name: str
    voices: Sequence[str]
    at_20_db: float
    at_10_db: float
    held_out: bool = False


GROUPS = (
    Group("espeak-ng", voices.TEST, 3, 15),
    Group("held out", voices.HELD_OUT, 2, 10, held_out=True),
)
WRONG, REJECTED, TALK_ACCEPTED = 1, 5, 4
"""The most there may be, in percent."""


async def ears(quick: bool) -> list[Figure]:
    began = time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime())
    figures, texts = list[Figure](), list[str]()
    for group in GROUPS:
        if group.held_out and not voices.has_flite():
            texts.append(f"## {group.name}\n\nSkipped: flite is missing (`make system-deps`).")
            continue
        heard = listen(corpus(group.voices, quick))
        figures += figures_of(group, heard)
        texts.append(f"## {group.name}: {', '.join(group.voices)}\n\n{tables(heard)}")
    text = "\n\n".join(texts)
    print(text, end="\n\n", flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{began}-ears.md").write_text(text + "\n", encoding="utf-8")
    return figures


# ---- playing ------------------------------------------------------------------------------------


def corpus(by: Sequence[str], quick: bool) -> list[Recipe]:
    count, of_a_kind = (QUICK, QUICK) if quick else (COUNT, None)
    said = [recipes.commands("test", by, each, count) for each in recipes.CONDITIONS]
    not_meant = [recipes.others("test", by, kind)[:of_a_kind] for kind in KINDS]
    return [recipe for part in (*said, *not_meant) for recipe in part]


def listen(chosen: Sequence[Recipe]) -> list[Heard]:
    """Each recording is a conversation of its own. The processes share the work."""
    shares = [chosen[place::PROCESSES] for place in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        return [heard for share in pool.map(_listen, shares) for heard in share]


def _listen(chosen: Sequence[Recipe]) -> list[Heard]:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_in_boxes(chosen))


async def _in_boxes(chosen: Sequence[Recipe]) -> list[Heard]:
    credulous = Config(asr=AsrSettings(certainty=0.0))
    async with (
        open_box(Config(), demo=True, most_timers=0) as box,
        open_box(credulous, demo=True, most_timers=0) as credulous_box,
    ):
        return [await _heard(box, credulous_box, recipe) for recipe in chosen]


async def _heard(box: Box, credulous: Box, recipe: Recipe) -> Heard:
    """As the box hears it. What it was not certain enough of is heard once more, by the credulous one."""
    played = recipes.play(recipe)
    questions = await _questions(box, played.sound)
    if any(map(is_refused, questions)):
        questions = with_refused(questions, await _questions(credulous, played.sound))
    return Heard(recipe, played.end_ms, questions)


async def _questions(box: Box, sound: AudioChunk) -> list[Question]:
    async with aclosing(play(box, sound, box.rules())) as told:
        return questions_of([event async for event in told])


# ---- counting -----------------------------------------------------------------------------------


def commands(heard: Iterable[Heard], conditions: Sequence[str] = recipes.CONDITIONS) -> list[Heard]:
    return [
        each
        for each in heard
        if each.recipe.kind == "command" and each.recipe.condition in conditions
    ]


def others(heard: Iterable[Heard], kinds: Sequence[Kind]) -> list[Heard]:
    return [each for each in heard if each.recipe.kind in kinds]


def percent(heard: Sequence[Heard], *verdicts: Verdict, least: float | None = None) -> float:
    """How many of them came to one of these; `least` as in `Question.is_believed`."""
    found = sum(each.verdict(least) in verdicts for each in heard)
    return 100 * found / len(heard) if heard else float("nan")


# ---- figures ------------------------------------------------------------------------------------


def figures_of(group: Group, heard: Sequence[Heard]) -> list[Figure]:
    """Everything that went wrong is told once, by what it was."""
    whole, talk, quiet = commands(heard), others(heard, TALK), commands(heard, ["quiet"])
    at_20_db, at_10_db = commands(heard, AT_20_DB), commands(heard, AT_10_DB)

    def not_right(where: str, of: Sequence[Heard], target: float | None = None) -> Figure:
        share = [100 - percent(of, "right")]
        return Figure(f"{group.name}: not right {where}, of {len(of)}", "%", share, target=target)

    def share(
        what: str, of: Sequence[Heard], *verdicts: Verdict, target: float | None = None
    ) -> Figure:
        name = f"{group.name}: {what}, of {len(of)}"
        found = [each.told() for each in of if each.verdict() in verdicts]
        told = [] if group.held_out else found
        return Figure(name, "%", [percent(of, *verdicts)], target=target, wrong=told)

    def closing(where: str, of: Sequence[Heard]) -> Figure:
        values = [each.closing_ms for each in of if each.closing_ms is not None]
        return Figure(f"{group.name}: last sound to closed, {where}", "ms", values)

    return [
        not_right("in quiet", quiet),
        not_right("at 20 dB", at_20_db, group.at_20_db),
        not_right("at 10 dB", at_10_db, group.at_10_db),
        share("wrong actions", whole, "wrong", target=WRONG),
        share("commands rejected", whole, "nothing", target=REJECTED),
        share("commands asked back", whole, "asked back"),
        share("talk and near accepted", talk, *ACCEPTED, target=TALK_ACCEPTED),
        share("broken off, accepted", others(heard, ["broken"]), *ACCEPTED),
        share("sounds accepted", others(heard, ["sound"]), *ACCEPTED),
        closing("quiet", quiet),
        closing("20 dB", at_20_db),
    ]


# ---- tables -------------------------------------------------------------------------------------


def tables(heard: Sequence[Heard]) -> str:
    """In Markdown, each with a line that says what is counted."""
    parts = (
        ("Commands, in percent.", by_condition),
        ("What is no command, in percent. Every other one is in some noise.", by_kind),
        (
            "The same by the least certainty that is believed, whatever the words: all commands, and "
            "what is none. Accepted is what was acted on or asked back.",
            curve,
        ),
        (
            "Milliseconds of sound from the last sample of a command to the closing of its question, "
            "of those that were heard in one piece.",
            closings,
        ),
        (
            "Drafts of a reply: begun at a complete partial where none stands; adopted if the final "
            "transcript is the same, else dropped: the words changed, or the final ones were refused, not "
            "sure or had alternatives. Wrong: dropped, and its words were not the final ones, or those "
            "were refused.",
            drafts,
        ),
    )
    return "\n\n".join(f"{says}\n\n{markdown([*table(heard)])}" for says, table in parts)


Rows = Iterator[Sequence[str]]


def by_condition(heard: Sequence[Heard]) -> Rows:
    sums = {"all at 20 dB": AT_20_DB, "all at 10 dB": AT_10_DB, "all": recipes.CONDITIONS}
    yield "", "n", "right", "wrong action", "rejected", "asked back"
    for name, conditions in {**{one: [one] for one in recipes.CONDITIONS}, **sums}.items():
        those = commands(heard, conditions)
        yield name, str(len(those)), *_verdicts(those)


def by_kind(heard: Sequence[Heard]) -> Rows:
    yield "", "n", "acted on", "asked back"
    for kinds in (*((kind,) for kind in KINDS), TALK):
        those = others(heard, kinds)
        shares = (percent(those, verdict) for verdict in ACCEPTED)
        yield " and ".join(kinds), str(len(those)), *map(_one, shares)


def curve(heard: Sequence[Heard]) -> Rows:
    whole, talk, broken = commands(heard), others(heard, TALK), others(heard, ["broken"])
    names = "right", "wrong action", "rejected", "asked back"
    yield "certainty", *names, "talk and near accepted", "broken accepted"
    for least in (None, *THRESHOLDS):
        accepted = (percent(those, *ACCEPTED, least=least) for those in (talk, broken))
        name = f"default ({AsrSettings().certainty:g})" if least is None else f"{least:g}"
        yield name, *_verdicts(whole, least), *map(_one, accepted)


def closings(heard: Sequence[Heard]) -> Rows:
    yield "", "n", "cut off", "no question", "p50", "p95"
    for name, conditions in (("quiet", ["quiet"]), ("20 dB", AT_20_DB)):
        those = commands(heard, conditions)
        waits = [each.closing_ms for each in those if each.closing_ms is not None]
        cut, none = (
            sum(each.is_cut_off for each in those),
            sum(not each.questions for each in those),
        )
        yield name, *map(str, (len(waits), cut, none)), _ms(waits), f"{p95(waits):.0f}"


def drafts(heard: Sequence[Heard]) -> Rows:
    yield (
        *("", "commands", "with one before the last sound", "before the closing"),
        *("drafts", "adopted", "dropped", "wrong", "ahead of the closing, p50 ms"),
    )
    for name, conditions in (("quiet", ["quiet"]), ("20 dB", AT_20_DB)):
        made = speculation(commands(heard, conditions))
        counts = (made.commands, made.before_end, made.before_closing, made.drafts, made.adopted)
        dropped = made.drafts - made.adopted
        yield name, *map(str, (*counts, dropped, made.wrong)), _ms(made.ahead_ms)


def _verdicts(heard: Sequence[Heard], least: float | None = None) -> Iterator[str]:
    for verdict in VERDICTS:
        yield _one(percent(heard, verdict, least=least))


def _one(share: float) -> str:
    return f"{share:.1f}"


def _ms(values: Sequence[float]) -> str:
    return f"{median(values):.0f}" if values else "nan"

"""How soon it is known that someone has finished, and how often someone is cut off who has not.

Recordings of the corpus go through an ear with its real VAD and the real recogniser, 20 ms at a time;
all times are those of the audio, so nothing here depends on the machine.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from airos_edge.engines.asr_pocketsphinx import pocketsphinx
from airos_edge.engines.vad_silero import open_onnx
from airos_edge.engines.wanted import WantedVad
from airos_edge.voice.audio import samples_of
from airos_edge.voice.ear import Closed, Ear, Opened
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.ports import Asr, Hints, Vad
from airos_edge.voice.utterance import Judgement, Utterance
from bench.corpus import recipes, voices
from bench.corpus.draw import house_sentences
from bench.corpus.recipes import Played, Recipe
from bench.figures import Figure

CHUNK_MS = 20
HOPS = 60
"""Turns of the loop after each chunk: the recogniser is then through with it."""
RULES = TurnRules()


@dataclass(frozen=True)
class Ending:
    """An utterance as the ear closed it, in milliseconds of the audio."""

    start_ms: int
    end_ms: int
    """Where it says that speech ended."""
    closed_ms: int
    judgement: Judgement | None
    heard: str


@dataclass(frozen=True)
class Round:
    recipe: Recipe
    played: Played
    endings: Sequence[Ending]

    @property
    def cut_off(self) -> bool:
        """Whether something was closed before the last sound."""
        return any(ending.closed_ms < self.played.end_ms for ending in self.endings)

    @property
    def last(self) -> Ending | None:
        """Of a recording that was heard in one piece, its end."""
        return self.endings[0] if self.endings and not self.cut_off else None


async def ending(quick: bool) -> list[Figure]:
    return await figures("test", voices.TEST, 14 if quick else 70)


async def figures(split: recipes.Split, by: Sequence[str], count: int) -> list[Figure]:
    """Of so many commands in each room, and four times as many that are said with a pause."""
    asr, open_vad = pocketsphinx(house_sentences().grammar), open_onnx(WantedVad())
    rooms = {
        condition: [
            await _listen(recipe, asr, open_vad())
            for recipe in recipes.commands(split, by, condition, count)
        ]
        for condition in recipes.CONDITIONS
    }
    paused = [
        await _listen(recipe, asr, open_vad()) for recipe in recipes.paused(split, by, count * 4)
    ]
    waits = [
        waited(f"quiet, {judgement.name}", rooms["quiet"], judgement)
        for judgement in (Judgement.OPEN, Judgement.PREFIX)
    ]
    found = [figure for figure in waits if figure.values]
    for condition, rounds in rooms.items():
        found += [waited(f"{condition}, COMPLETE", rounds, Judgement.COMPLETE)]
        found += placed(condition, rounds)
    return [*found, *cut_offs(paused)]


def waited(name: str, rounds: Sequence[Round], judgement: Judgement) -> Figure:
    """From the last sound to the closing, of those whose words were judged so."""
    values = [
        last.closed_ms - each.played.end_ms
        for each in rounds
        if (last := each.last) is not None and last.judgement is judgement
    ]
    cut = [f"{each.recipe.text!r} was closed before its end" for each in rounds if each.cut_off]
    floor = [RULES.silence_ms(judgement)]
    return Figure(f"last sound to closed, {name}", "ms", values, floor, "the silence", wrong=cut)


def placed(condition: str, rounds: Sequence[Round]) -> list[Figure]:
    """How far the edges are from where they were made. Below zero: too early."""
    whole = [(each.played, last) for each in rounds if (last := each.last) is not None]
    ends = [last.end_ms - played.end_ms for played, last in whole]
    starts = [last.start_ms + RULES.padding_ms - played.start_ms for played, last in whole]
    return [
        Figure(f"end placed too late by, {condition}", "ms", ends),
        Figure(f"end misplaced by, {condition}", "ms", [abs(end) for end in ends]),
        Figure(f"start misplaced by, {condition}", "ms", [abs(start) for start in starts]),
    ]


def cut_offs(rounds: Sequence[Round]) -> list[Figure]:
    """How many of those who paused were answered, or given up, before they went on.

    A pause of every length is as frequent as the others, which people's are not.
    """
    grammar = house_sentences().grammar

    def so_far(each: Round) -> Judgement | None:
        return grammar.judge(each.recipe.text.split()[: each.recipe.pause_after])

    unfinished = [each for each in rounds if so_far(each) is Judgement.PREFIX]
    could_end = [each for each in rounds if so_far(each) is not Judgement.PREFIX]
    return [
        Figure(
            f"cut off in a pause, {name}, of {len(those)}",
            "%",
            [100 * sum(each.cut_off for each in those) / max(1, len(those))],
            target=target,
            wrong=[_told(each) for each in those if each.cut_off],
        )
        for name, those, target in (
            ("unfinished phrase", unfinished, 0),
            ("could have ended", could_end, None),
        )
    ]


def _told(each: Round) -> str:
    words = each.recipe.text.split()
    words.insert(each.recipe.pause_after, f"[{each.recipe.pause_ms} ms]")
    first = each.endings[0]
    judgement = first.judgement.name if first.judgement else None
    return f"{' '.join(words)!r} was closed as {judgement} with {first.heard!r}"


# ---- the ear ------------------------------------------------------------------------------------


async def _listen(recipe: Recipe, asr: Asr, vad: Vad) -> Round:
    played = recipes.play(recipe)
    ear, endings = Ear(RULES, vad), list[Ending]()
    hearing: asyncio.Task[str] | None = None
    chunks = played.sound.pieces(samples_of(CHUNK_MS))
    for now_ms, chunk in zip(count(CHUNK_MS, CHUNK_MS), chunks, strict=False):
        for cue in ear.feed(chunk):
            match cue:
                case Opened(utterance):
                    hearing = asyncio.create_task(_heard(utterance, asr))
                case Closed(utterance, ended) if hearing is not None:
                    judgement, text = utterance.judgement, await hearing
                    endings.append(
                        Ending(utterance.start_ms, ended.speech_end_ms, now_ms, judgement, text)
                    )
        for _ in range(HOPS):
            await asyncio.sleep(0)
    ear.clear()
    if hearing is not None:
        await hearing
    return Round(recipe, played, endings)


async def _heard(utterance: Utterance, asr: Asr) -> str:
    """The words, and the ear is told what is thought of them on the way."""
    text = ""
    async for transcript in asr.transcribe(utterance, Hints()):
        text = transcript.text
        if transcript.judgement is not None:
            utterance.judge(transcript.judgement)
    return text

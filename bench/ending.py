"""How soon it is known that someone has finished, and how often someone is cut off who has not.

Recordings of the corpus go through an ear with its real VAD and the real recogniser, 20 ms at a time;
all times are those of the audio, so nothing here depends on the machine.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from airos_edge.engines.asr_pocketsphinx import open_asr
from airos_edge.engines.vad_silero import open_onnx
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, ms_of, samples_of
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
    asr, open_vad = open_asr(house_sentences().grammar), open_onnx()
    rounds = {
        condition: [
            await _listen(recipe, asr, open_vad())
            for recipe in recipes.commands(split, by, condition, count)
        ]
        for condition in recipes.CONDITIONS
    }
    paused = [
        await _listen(recipe, asr, open_vad()) for recipe in recipes.paused(split, by, count * 4)
    ]
    found = _waits(rounds["quiet"])
    for condition, those in rounds.items():
        found += _of(condition, those)
    return [*found, *_cut_offs(paused)]


def _waits(rounds: Iterable[Round]) -> list[Figure]:
    """From the last sound to the closing, by what was thought of the words."""
    found = []
    rounds = list(rounds)
    for judgement in (Judgement.COMPLETE, Judgement.OPEN, Judgement.PREFIX, None):
        values = [
            last.closed_ms - each.played.end_ms
            for each in rounds
            if (last := each.last) is not None and last.judgement is judgement
        ]
        name = judgement.name if judgement else "no judgement"
        floor = [RULES.silence_ms(judgement)]
        found.append(Figure(f"end to closed, quiet, {name}", "ms", values, floor, "the silence"))
    return [figure for figure in found if figure.values]


def _of(condition: str, rounds: Sequence[Round]) -> list[Figure]:
    whole = [(each, each.last) for each in rounds]
    complete = [
        last.closed_ms - each.played.end_ms
        for each, last in whole
        if last is not None and last.judgement is Judgement.COMPLETE
    ]
    cut = [f"{each.recipe} was cut off" for each in rounds if each.cut_off]
    ends = [last.end_ms - each.played.end_ms for each, last in whole if last is not None]
    starts = [
        last.start_ms + RULES.padding_ms - each.played.start_ms
        for each, last in whole
        if last is not None
    ]
    right = [100.0 * (last is not None and last.heard == each.recipe.text) for each, last in whole]
    return [
        Figure(f"end to closed, {condition}, COMPLETE", "ms", complete, wrong=cut),
        Figure(f"end placed too late, {condition}", "ms", ends),
        Figure(f"   off by, {condition}", "ms", [abs(end) for end in ends]),
        Figure(f"start placed too late, {condition}", "ms", starts),
        Figure(f"heard to the word, {condition}", "%", [sum(right) / len(right)]),
    ]


def _cut_offs(rounds: Sequence[Round]) -> list[Figure]:
    """How many of those who paused were answered, or given up, before they went on."""
    grammar = house_sentences().grammar

    def unfinished(each: Round) -> bool:
        words = each.recipe.text.split()[: each.recipe.pause_after]
        return grammar.judge(words) is Judgement.PREFIX

    sets = {"unfinished phrase": list(filter(unfinished, rounds)), "anywhere": list(rounds)}
    return [
        Figure(
            f"cut off in a pause, {name}, of {len(those)}",
            "%",
            [100 * sum(each.cut_off for each in those) / max(1, len(those))],
            target=0 if name == "unfinished phrase" else 2,
            wrong=[_told(each) for each in those if each.cut_off and name == "anywhere"],
        )
        for name, those in sets.items()
    ]


def _told(each: Round) -> str:
    words = each.recipe.text.split()
    words.insert(each.recipe.pause_after, f"[{each.recipe.pause_ms} ms]")
    first = each.endings[0]
    return f"{' '.join(words)!r}: closed as {first.judgement} with {first.heard!r}"


# ---- the ear ------------------------------------------------------------------------------------


async def _listen(recipe: Recipe, asr: Asr, vad: Vad) -> Round:
    played = recipes.play(recipe)
    ear, endings = Ear(RULES, vad), list[Ending]()
    hearing: asyncio.Task[str] | None = None
    step = samples_of(CHUNK_MS) * BYTES_PER_SAMPLE
    for place in range(0, len(played.sound.pcm), step):
        for cue in ear.feed(AudioChunk(played.sound.pcm[place : place + step])):
            match cue:
                case Opened(utterance):
                    hearing = asyncio.create_task(_heard(utterance, asr))
                case Closed(utterance, ended) if hearing is not None:
                    closed_ms = ms_of((place + step) // BYTES_PER_SAMPLE)
                    judgement, text = utterance.judgement, await hearing
                    endings.append(
                        Ending(utterance.start_ms, ended.speech_end_ms, closed_ms, judgement, text)
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

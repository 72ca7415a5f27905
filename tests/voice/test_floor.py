"""One floor per loudspeaker, taken by rank."""

import asyncio

import pytest

from airos_edge.errors import EngineError
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.floor import OUTRANKED_DB, Floor, FloorMouth, Rank
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Says, Speech
from tests.room import FakeSpeaker

PIECE = Speech(AudioChunk(bytes(3200)), "word ")
"""100 ms."""


async def say(floor: Floor, rank: Rank, name: str, pieces: int) -> int:
    async with floor.take(rank, Says(name, name)) as mouth:
        for _ in range(pieces):
            await mouth.play(PIECE)
        return await mouth.drain()


def told(speaker: FakeSpeaker) -> list[tuple[str, int]]:
    """Who was given a piece to play, and at which millisecond."""
    played = [
        (round(at * 1000), mouth.says.reply_id)
        for mouth in speaker.mouths
        for at, _ in mouth.played
    ]
    return [(name, at_ms) for at_ms, name in sorted(played)]


async def test_alone_one_speaks_and_knows_how_long_it_was_heard() -> None:
    speaker = FakeSpeaker(lead_ms=100)
    assert await say(Floor(speaker), Rank.ANSWER, "a", 5) == 500
    assert asyncio.get_running_loop().time() == pytest.approx(0.5)


async def test_a_higher_rank_speaks_at_once_and_the_lower_goes_on_after_it() -> None:
    speaker = FakeSpeaker(lead_ms=100)
    floor = Floor(speaker)
    async with Scope() as scope:
        answer = scope.start(say(floor, Rank.ANSWER, "answer", 10), "answer")
        await asyncio.sleep(0.25)
        assert await say(floor, Rank.RING, "ring", 4) == 400
        assert await answer == 1000
    names = [name for name, _ in told(speaker)]
    assert names == ["answer"] * 4 + ["ring"] * 4 + ["answer"] * 6
    assert speaker.mouths[0].ducks == [OUTRANKED_DB, 0.0]
    assert speaker.mouths[1].ducks == []


async def test_a_lower_rank_waits_until_the_floor_is_free() -> None:
    speaker = FakeSpeaker(lead_ms=100)
    floor = Floor(speaker)
    async with Scope() as scope:
        scope.start(say(floor, Rank.ANNOUNCE, "first", 3), "first")
        await asyncio.sleep(0.05)
        await say(floor, Rank.ANSWER, "second", 2)
    assert told(speaker)[:3] == [("first", 0), ("first", 0), ("first", 100)]
    assert told(speaker)[3][1] == 300


async def test_among_equals_the_first_speaks_out() -> None:
    speaker = FakeSpeaker(lead_ms=100)
    floor = Floor(speaker)
    async with Scope() as scope:
        for name in "abc":
            scope.start(say(floor, Rank.ANSWER, name, 3), name)
        await asyncio.sleep(5)
    assert [name for name, _ in told(speaker)] == list("aaabbbccc")


async def test_who_waits_is_let_in_by_rank() -> None:
    speaker = FakeSpeaker(lead_ms=0)
    floor = Floor(speaker)
    async with Scope() as scope:
        scope.start(say(floor, Rank.RING, "ring", 1), "ring")
        await asyncio.sleep(0)
        for rank in (Rank.MEDIA, Rank.ANSWER, Rank.ANNOUNCE):
            scope.start(say(floor, rank, rank.name.lower(), 1), rank.name)
        await asyncio.sleep(5)
    assert told(speaker) == [("ring", 0), ("announce", 100), ("answer", 200), ("media", 300)]


async def hushed_mouth(floor: Floor, held: bool) -> FloorMouth:
    async with Scope() as scope:
        if held:
            scope.start(say(floor, Rank.RING, "ring", 100), "ring")
            await asyncio.sleep(0)
        async with floor.take(Rank.ANSWER, Says("a", "a")) as mouth:
            waiting = scope.start(mouth.play(PIECE), "playing")
            await asyncio.sleep(0.05)
            assert mouth.hush() == (0 if held else 50)
            await waiting
            await mouth.play(PIECE)
            floor.duck(15)
            assert await mouth.drain() == mouth.hush() == (0 if held else 50)
    return mouth


async def test_a_hushed_mouth_is_dead() -> None:
    speaker = FakeSpeaker(lead_ms=0)
    await hushed_mouth(Floor(speaker), held=False)
    assert len(speaker.mouths[0].played) == 1
    assert speaker.mouths[0].ducks == []


async def test_a_mouth_that_is_held_can_be_hushed_too() -> None:
    speaker = FakeSpeaker(lead_ms=0)
    await hushed_mouth(Floor(speaker), held=True)
    assert speaker.mouths[1].played == []


async def test_a_hushed_mouth_gives_the_floor_to_the_next_at_once() -> None:
    speaker = FakeSpeaker(lead_ms=100)
    floor = Floor(speaker)
    async with Scope() as scope, floor.take(Rank.ANNOUNCE, Says("a", "a")) as mouth:
        scope.start(say(floor, Rank.ANSWER, "b", 1), "b")
        await asyncio.sleep(0.5)
        mouth.hush()
        await asyncio.sleep(0)
        assert told(speaker) == [("b", 500)]


async def test_who_leaves_by_an_error_is_silenced() -> None:
    speaker = FakeSpeaker(lead_ms=500)
    floor = Floor(speaker)

    async def fail() -> None:
        async with floor.take(Rank.ANSWER, Says("a", "a")) as mouth:
            await mouth.play(PIECE)
            raise EngineError("tts", "broke")

    with pytest.raises(EngineError):
        await fail()
    assert speaker.mouths[0].hushed_at == 0
    assert await say(floor, Rank.ANSWER, "b", 1) == 100


# ---- loudness -----------------------------------------------------------------------------------


async def test_who_begins_while_someone_may_be_talking_is_quieter_too() -> None:
    speaker = FakeSpeaker(lead_ms=100)
    floor = Floor(speaker)
    floor.duck(15)
    async with Scope() as scope:
        scope.start(say(floor, Rank.ANSWER, "answer", 10), "answer")
        await asyncio.sleep(0.25)
        floor.duck(0)
    assert speaker.mouths[0].ducks == [15, 0]


async def test_being_outranked_and_being_talked_over_do_not_undo_each_other() -> None:
    speaker = FakeSpeaker(lead_ms=100)
    floor = Floor(speaker)
    async with Scope() as scope:
        scope.start(say(floor, Rank.ANSWER, "answer", 20), "answer")
        await asyncio.sleep(0.25)
        floor.duck(15)
        ringing = scope.start(say(floor, Rank.RING, "ring", 4), "ring")
        await asyncio.sleep(0.05)
        floor.duck(0)
        assert speaker.mouths[0].ducks == [15, OUTRANKED_DB], (
            "a cough does not lift the ring's hold"
        )
        floor.duck(15)
        await ringing
        await asyncio.sleep(0.05)
        assert speaker.mouths[0].ducks == [15, OUTRANKED_DB, 15], "and the ring's end not the duck"


async def test_who_loses_the_floor_before_it_has_moved_says_nothing() -> None:
    speaker = FakeSpeaker(lead_ms=0)
    floor = Floor(speaker)
    async with Scope() as scope, floor.take(Rank.ANNOUNCE, Says("b", "b")) as first:
        scope.start(say(floor, Rank.ANSWER, "answer", 1), "answer")
        await asyncio.sleep(0)
        first.hush()  # wakes the answer, and in the same tick
        async with floor.take(Rank.RING, Says("c", "c")):
            await asyncio.sleep(1)
            answer = speaker.mouths[1]
            assert answer.played == []


async def test_hushed_all_from_a_rank_on_are_silent_and_the_others_go_on() -> None:
    speaker = FakeSpeaker(lead_ms=100)
    floor = Floor(speaker)
    async with Scope() as scope:
        saying = {
            rank: scope.start(say(floor, rank, rank.name, 5), rank.name)
            for rank in (Rank.ANSWER, Rank.ANNOUNCE, Rank.RING)
        }
        await asyncio.sleep(0.25)
        assert floor.hush(Rank.ANNOUNCE)
        assert not floor.hush(Rank.ANNOUNCE)
        assert await saying[Rank.ANSWER] == 500
        assert await saying[Rank.RING] == 250
        assert await saying[Rank.ANNOUNCE] == 100, "what it had begun with"
    assert not floor.hush()

"""A recording in progress: one writer, any number of readers."""

import asyncio

import pytest

from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.flow import Scope
from airos_edge.voice.utterance import Ended, EndReason, Utterance
from tests.room import silence, speech

END = Ended(EndReason.SILENCE, 100)


async def read(utterance: Utterance) -> list[AudioChunk]:
    return [chunk async for chunk in utterance]


async def test_every_reader_gets_every_chunk_from_the_first() -> None:
    utterance = Utterance("item_1", "speech", 0)
    chunks = speech(60) + silence(60)
    async with Scope() as scope:
        early = scope.start(read(utterance), "early")
        for chunk in chunks[:3]:
            utterance.write(chunk)
        await asyncio.sleep(0)
        middle = scope.start(read(utterance), "middle")
        await asyncio.sleep(0)
        for chunk in chunks[3:]:
            utterance.write(chunk)
        utterance.end(END)
        assert await early == chunks
        assert await middle == chunks
    assert await read(utterance) == chunks


async def test_readers_go_at_their_own_pace() -> None:
    utterance = Utterance("item_1", "speech", 0)
    fast, slow = aiter(utterance), aiter(utterance)
    for chunk in speech(60):
        utterance.write(chunk)
    assert [await anext(fast) for _ in range(3)] == speech(60)
    assert await anext(slow) == speech(20)[0]


async def test_a_cancelled_reader_disturbs_no_other() -> None:
    utterance = Utterance("item_1", "speech", 0)
    async with Scope() as scope:
        cancelled = scope.start(read(utterance), "cancelled")
        other = scope.start(read(utterance), "other")
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.sleep(0)
        utterance.write(speech(20)[0])
        utterance.end(END)
        assert await other == speech(20)


async def test_its_end_may_be_waited_for_and_the_wait_given_up() -> None:
    utterance = Utterance("item_1", "speech", 0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await utterance.ended()
    utterance.end(END)
    assert await utterance.ended() == END


async def test_it_knows_its_length() -> None:
    utterance = Utterance("item_1", "speech", 0)
    for chunk in speech(60):
        utterance.write(chunk)
    assert (utterance.ms, utterance.samples) == (60, 960)
    assert utterance.pcm == b"".join(chunk.pcm for chunk in speech(60))


def test_what_is_a_question() -> None:
    not_questions = {EndReason.NO_SPEECH, EndReason.DISCARDED}
    for reason in EndReason:
        assert Ended(reason, 0).is_question is (reason not in not_questions)

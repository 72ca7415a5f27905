"""How much of an answer was heard, with a loudspeaker and without one."""

import asyncio
import io
import wave

import pytest

from airos_edge.cli.talking.player import BYTES_PER_S, Player
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ports import Says

SECOND = b"\x01\x02" * (BYTES_PER_S // 2)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Loudspeaker:
    """Says that it has played `heard_ms` of each."""

    def __init__(self, heard_ms: int = 0) -> None:
        self.heard_ms = heard_ms
        self.said: list[str] = []

    def open(self, says: Says) -> "Loudspeaker":
        self.said.append(says.item_id)
        return self

    def put(self, sound: AudioChunk) -> None:
        self.said.append(f"{sound.ms:.0f} ms")

    def end(self) -> None:
        self.said.append("end")

    def hush(self) -> int:
        self.said.append("hush")
        return self.heard_ms


def saved_s(player: Player) -> float:
    with wave.open(io.BytesIO(player.wav())) as file:
        return file.getnframes() / file.getframerate()


def test_without_a_loudspeaker_it_is_heard_as_time_goes_by() -> None:
    clock = Clock()
    player = Player(None, clock)
    assert player.hush() is None
    player.put("item_1", SECOND)
    player.put("item_1", SECOND)
    clock.now += 1.5
    assert player.is_playing
    assert player.hush() == ("item_1", 1500)
    assert not player.is_playing
    assert saved_s(player) == pytest.approx(1.5)


def test_what_comes_of_an_item_after_its_hush_is_not_heard() -> None:
    clock = Clock()
    player = Player(None, clock)
    player.put("item_1", SECOND)
    player.hush()
    player.put("item_1", SECOND)
    assert not player.is_playing
    player.put("item_2", SECOND)
    assert player.is_playing


def test_heard_to_its_end_there_is_nothing_to_hush() -> None:
    clock = Clock()
    player = Player(None, clock)
    player.put("item_1", SECOND)
    clock.now += 2
    assert player.hush() is None
    assert saved_s(player) == 1


def test_a_loudspeaker_knows_better_what_was_heard() -> None:
    loud, clock = Loudspeaker(heard_ms=400), Clock()
    player = Player(clock=clock)
    player.use(loud.open)  # type: ignore[arg-type]
    player.put("item_1", SECOND)
    player.end()
    player.put("item_2", SECOND)
    assert player.hush() == ("item_2", 400)
    assert loud.said == ["item_1", "1000 ms", "end", "end", "item_2", "1000 ms", "hush"]
    assert saved_s(player) == pytest.approx(1.4)


async def test_its_silence_can_be_waited_for() -> None:
    loop = asyncio.get_running_loop()
    player = Player(None, loop.time)
    player.put("item_1", SECOND)
    begin = loop.time()
    await player.silent()
    assert loop.time() - begin == pytest.approx(1, abs=0.01)
    await player.silent()


def test_of_silence_there_is_no_file() -> None:
    assert Player().wav() == b""

"""The sound of what was said, within a bound."""

from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.recordings import LONGEST_MS, Recordings

SECOND = AudioChunk(bytes(32_000))


def ms_of(made: Recordings, item_id: str, heard_ms: float = LONGEST_MS) -> float:
    return sum(chunk.ms for chunk in made.of(item_id, heard_ms))


def test_what_was_added_is_what_is_got_as_far_as_it_was_heard() -> None:
    made = Recordings(1_000_000)
    made.add("a", AudioChunk(b"\1\0" * 16_000))
    made.add("a", AudioChunk(b"\2\0" * 16_000))
    assert ms_of(made, "a") == 2000
    assert b"".join(chunk.pcm for chunk in made.of("a", 1500)) == b"\1\0" * 16_000 + b"\2\0" * 8000
    assert ms_of(made, "a", 0) == 0


def test_of_one_item_as_much_is_kept_as_a_frame_holds() -> None:
    made = Recordings(10_000_000)
    for _ in range(20):
        made.add("a", SECOND)
    assert ms_of(made, "a") == LONGEST_MS


def test_the_oldest_are_forgotten_first() -> None:
    made = Recordings(3 * 32_000)
    for item_id in "abcd":
        made.add(item_id, SECOND)
    assert [ms_of(made, item_id) for item_id in "abcd"] == [0, 1000, 1000, 1000]
    made.forget("b")
    made.add("e", SECOND)
    assert [ms_of(made, item_id) for item_id in "cde"] == [1000, 1000, 1000]


def test_nothing_is_kept_where_nobody_will_ask() -> None:
    made = Recordings()
    made.add("a", SECOND)
    assert ms_of(made, "a") == 0

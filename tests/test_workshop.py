"""Parts are made when they have to be, and no more often."""

import pytest

from airos_edge.errors import EngineUnavailable
from airos_edge.workshop import Workshop


async def test_a_part_is_kept_while_what_it_is_made_of_is_the_same() -> None:
    workshop, made = Workshop(), iter(range(10))
    assert await workshop.make("voice", "en", lambda: next(made)) == 0
    assert await workshop.make("voice", "en", lambda: next(made)) == 0
    assert await workshop.make("voice", "de", lambda: next(made)) == 1
    assert await workshop.make("ears", "de", lambda: next(made)) == 2


async def test_what_fails_is_tried_again_and_what_was_before_does_not_come_back() -> None:
    def broken() -> int:
        raise EngineUnavailable("voice", "is broken")

    workshop, made = Workshop(), iter(range(10))
    assert await workshop.make("voice", "good", lambda: next(made)) == 0
    for _ in range(2):
        with pytest.raises(EngineUnavailable):
            await workshop.make("voice", "bad", broken)
    assert await workshop.make("voice", "good", lambda: next(made)) == 1, "the first may be closed"


async def test_what_was_not_wanted_in_between_is_made_anew() -> None:
    workshop, made = Workshop(), iter(range(10))
    for name in ("voice", "ears"):
        await workshop.make(name, "en", lambda: next(made))
    workshop.forget_others()
    assert await workshop.make("ears", "en", lambda: next(made)) == 1
    workshop.forget_others()
    assert await workshop.make("voice", "en", lambda: next(made)) == 2, "the first may be closed"


async def test_what_is_made_in_no_time_is_kept_alike() -> None:
    workshop, made = Workshop(), iter(range(10))
    assert workshop.make_now("voice", "en", lambda: next(made)) == 0
    assert workshop.make_now("voice", "en", lambda: next(made)) == 0
    assert workshop.made("voice") == 0
    workshop.forget("voice")
    assert workshop.make_now("voice", "en", lambda: next(made)) == 1

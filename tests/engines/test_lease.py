"""Engines are swapped between turns, never within one, and closed when nobody works with them."""

import asyncio
from contextlib import aclosing

import pytest

from airos_edge.engines.lease import Lease
from airos_edge.errors import EngineError, ReachError
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Place
from tests.fakes import FakeAsr, FakeResponder, FakeTts, fake_engines


class ClosingTts(FakeTts):
    """`closed_times` counts; closing takes as long as it is told, and may fail."""

    def __init__(self, close_s: float = 0.0, error: Exception | None = None) -> None:
        super().__init__()
        self.closed_times = 0
        self._close_s = close_s
        self._error = error

    async def aclose(self) -> None:
        await asyncio.sleep(self._close_s)
        self.closed_times += 1
        if self._error is not None:
            raise self._error


async def settle() -> None:
    await asyncio.sleep(0.01)


async def test_a_borrower_keeps_its_engines_through_a_swap_and_the_next_gets_the_new_ones() -> None:
    old, new = fake_engines(), fake_engines()
    async with aclosing(Lease(old)) as lease, lease.borrow(Place.LOCAL) as first:
        lease.swap(new)
        async with lease.borrow(Place.LOCAL) as second:
            assert first is old
            assert second is new


async def test_the_old_engines_are_closed_when_the_last_borrower_has_left_and_not_before() -> None:
    tts = ClosingTts()
    async with aclosing(Lease(fake_engines(tts=tts))) as lease:
        async with lease.borrow(Place.LOCAL):
            async with lease.borrow(Place.LOCAL):
                lease.swap(fake_engines())
            await settle()
            assert tts.closed_times == 0
        await settle()
        assert tts.closed_times == 1


async def test_engines_that_nobody_borrowed_are_closed_by_the_swap() -> None:
    tts = ClosingTts()
    async with aclosing(Lease(fake_engines(tts=tts))) as lease:
        lease.swap(fake_engines())
        await settle()
        assert tts.closed_times == 1


async def test_an_engine_that_the_new_set_shares_stays_open() -> None:
    tts = ClosingTts()
    async with aclosing(Lease(fake_engines(tts=tts))) as lease:
        async with lease.borrow(Place.LOCAL):
            lease.swap(fake_engines(tts=tts))
        await settle()
        assert tts.closed_times == 0
    assert tts.closed_times == 1


async def test_an_engine_that_another_borrower_of_an_older_set_shares_stays_open() -> None:
    tts = ClosingTts()
    async with aclosing(Lease(fake_engines(tts=tts))) as lease:
        async with lease.borrow(Place.LOCAL):
            lease.swap(fake_engines(tts=tts))
            lease.swap(fake_engines())
            await settle()
            assert tts.closed_times == 0
        await settle()
        assert tts.closed_times == 1


async def test_a_cancelled_borrower_gives_back_what_it_held_and_does_not_cut_the_closing_short() -> (
    None
):
    tts = ClosingTts(close_s=0.5)
    async with aclosing(Lease(fake_engines(tts=tts))) as lease:

        async def turn() -> None:
            async with lease.borrow(Place.LOCAL):
                await asyncio.Event().wait()

        task = asyncio.create_task(turn())
        await settle()
        lease.swap(fake_engines())
        task.cancel()
        await settle()
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(1)
        assert tts.closed_times == 1


@pytest.mark.parametrize("part", ["asr", "responder", "tts"])
@pytest.mark.parametrize(
    ("place", "reach", "lent"),
    [
        (Place.LOCAL, Place.LOCAL, True),
        (Place.EDGE, Place.LOCAL, False),
        (Place.EDGE, Place.EDGE, True),
        (Place.CLOUD, Place.EDGE, False),
        (Place.CLOUD, Place.CLOUD, True),
    ],
)
async def test_an_engine_beyond_reach_is_refused_when_it_is_leased(
    part: str, place: Place, reach: Place, lent: bool
) -> None:
    engine = {"asr": FakeAsr("hello"), "responder": FakeResponder(), "tts": FakeTts()}[part]
    engine.place = place
    async with aclosing(Lease(fake_engines(**{part: engine}))) as lease:
        if lent:
            async with lease.borrow(reach) as engines:
                assert getattr(engines, part) is engine
            return
        with pytest.raises(ReachError, match=f"{engine.name}.*{place.name.lower()}.*reach"):
            async with lease.borrow(reach):
                pytest.fail("was lent")


async def test_a_refused_borrower_holds_nothing() -> None:
    tts = ClosingTts()
    tts.place = Place.CLOUD
    async with aclosing(Lease(fake_engines(tts=tts))) as lease:
        with pytest.raises(ReachError):
            async with lease.borrow(Place.LOCAL):
                pass
        lease.swap(fake_engines())
        await settle()
        assert tts.closed_times == 1


async def test_a_set_may_lack_parts() -> None:
    async with (
        aclosing(Lease(fake_engines(asr=None, tts=None))) as lease,
        lease.borrow(Place.LOCAL) as engines,
    ):
        assert engines.tts is None


async def test_an_engine_that_fails_to_close_does_not_keep_the_others_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class ClosingAsr(FakeAsr):
        async def aclose(self) -> None:
            raise OSError("no such pipe")

    tts = ClosingTts()
    lease = Lease(fake_engines(asr=ClosingAsr("hello"), tts=tts))
    await lease.aclose()
    assert tts.closed_times == 1
    assert "fake_asr could not be closed" in caplog.text


async def test_closing_the_lease_waits_a_bounded_time_for_what_closes_slowly() -> None:
    tts = ClosingTts(close_s=60)
    lease = Lease(fake_engines(tts=tts))
    loop = asyncio.get_running_loop()
    started = loop.time()
    await lease.aclose()
    assert 0 < loop.time() - started < 10
    assert tts.closed_times == 0


async def test_what_is_still_borrowed_when_the_lease_closes_is_not_closed_under_its_borrower() -> (
    None
):
    tts = ClosingTts()
    lease = Lease(fake_engines(tts=tts))
    async with lease.borrow(Place.LOCAL):
        await lease.aclose()
        assert tts.closed_times == 0
    await settle()
    assert tts.closed_times == 1


class Made(FakeResponder):
    """Of other responders, which may lie further away than it does."""

    def __init__(self, *parts: FakeResponder) -> None:
        super().__init__()
        self.parts = parts


class ClosingResponder(FakeResponder):
    closed_times = 0

    async def aclose(self) -> None:
        self.closed_times += 1


async def test_what_a_responder_is_made_of_is_closed_with_it_unless_the_next_has_it_too() -> None:
    kept, gone = ClosingResponder(), ClosingResponder()
    async with aclosing(Lease(fake_engines(responder=Made(kept, gone)))) as lease:
        lease.swap(fake_engines(responder=Made(kept)))
        await settle()
        assert (kept.closed_times, gone.closed_times) == (0, 1)
    assert (kept.closed_times, gone.closed_times) == (1, 1)


async def test_a_responder_that_is_made_of_others_looks_after_their_places_itself() -> None:
    far = ClosingResponder()
    far.place = Place.CLOUD
    async with (
        aclosing(Lease(fake_engines(responder=Made(far)))) as lease,
        lease.borrow(Place.LOCAL),
    ):
        pass


# ---- work while nobody borrows --------------------------------------------------------------------


class Work:
    """Takes a second; `begun` and `done` count."""

    begun = done = 0

    async def __call__(self) -> str:
        self.begun += 1
        await asyncio.sleep(1)
        self.done += 1
        return "done"


async def test_work_that_disturbs_waits_until_nobody_borrows() -> None:
    work = Work()
    async with aclosing(Lease(fake_engines())) as lease, Scope() as scope:
        async with lease.borrow(Place.LOCAL):
            working = scope.start(lease.undisturbing(work), "work")
            await asyncio.sleep(5)
            assert work.begun == 0
        assert await working == "done"


async def test_it_is_broken_off_when_somebody_borrows_and_begun_anew_later() -> None:
    work = Work()
    async with aclosing(Lease(fake_engines())) as lease, Scope() as scope:
        working = scope.start(lease.undisturbing(work), "work")
        await asyncio.sleep(0.5)
        async with lease.borrow(Place.LOCAL), lease.borrow(Place.LOCAL):
            await asyncio.sleep(5)
            assert (work.begun, work.done) == (1, 0)
        assert await working == "done"
    assert (work.begun, work.done) == (2, 1)


async def test_what_it_raises_is_raised_and_cancelling_ends_it() -> None:
    async def broken() -> None:
        raise EngineError("owl", "broke")

    work = Work()
    async with aclosing(Lease(fake_engines())) as lease, Scope() as scope:
        with pytest.raises(EngineError, match="broke"):
            await lease.undisturbing(broken)
        working = scope.start(lease.undisturbing(work), "work")
        await asyncio.sleep(0.5)
        working.cancel()
        await asyncio.wait([working])
    assert (work.begun, work.done) == (1, 0)

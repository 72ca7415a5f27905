"""The router in a conversation: whom it asks before a question has ended, and what has left the box then."""

import pytest

from airos_edge.router.breaker import Breaker
from airos_edge.router.router import COMMANDS, Router
from airos_edge.router.tiers import Tier
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import ReplyEnded
from airos_edge.voice.ports import Done, Left, Place, Prompt, Speaking, Text
from airos_edge.voice.utterance import Judgement
from tests.fakes import At, FakeAsr, FakeResponder, FakeTts, Fault, Said
from tests.room import Room
from tests.router.test_router import house

COMPLETE_AT_MS = 300
ASR = Said("why is it", [At(COMPLETE_AT_MS, "why is it", Judgement.COMPLETE)], takes_ms=50)
CHANGED = Said(
    "why is it dark",
    [At(COMPLETE_AT_MS, "why is it", Judgement.COMPLETE), At(450, "why is it dark")],
)


class Talk:
    """A room whose router has a model at such a place."""

    def __init__(self, place: Place, said: Said = ASR, asr: Place = Place.LOCAL) -> None:
        self.model = FakeResponder(lambda prompt: [Text("It is. "), Done("model")], "model")
        self.model.place = place
        commands = FakeResponder(house, COMMANDS)
        tiers = {"model": Tier(self.model, Breaker("model"), 5.0)}
        recogniser, self.tts = FakeAsr(said), FakeTts()
        recogniser.place = asr
        self.room = Room(
            TurnRules(),
            Prompt(speaking=Speaking(), reach=Place.CLOUD),
            asr=recogniser,
            responder=Router(commands, tiers, [COMMANDS, "model"], ""),
            tts=self.tts,
        )

    async def ask(self) -> Left:
        async with self.room as room:
            await room.ask()
            return (await room.told.wait_for(ReplyEnded)).outcome.left


@pytest.mark.parametrize("place", Place)
async def test_a_draft_asks_a_model_in_the_house_before_the_commit_and_one_in_the_cloud_never(
    place: Place,
) -> None:
    talk = Talk(place)
    async with talk.room as room:
        await room.speak(480)
        assert talk.model.opened == (place is not Place.CLOUD)
        await room.quiet(760)
        assert await room.answered() == "It is. "
    assert talk.model.opened == 1


@pytest.mark.parametrize(
    ("model", "asr", "tts", "left"),
    [
        (Place.LOCAL, Place.LOCAL, Place.LOCAL, Left.NOTHING),
        (Place.EDGE, Place.LOCAL, Place.LOCAL, Left.LAN),
        (Place.LOCAL, Place.EDGE, Place.LOCAL, Left.LAN),
        (Place.LOCAL, Place.EDGE, Place.CLOUD, Left.INTERNET),
        (Place.CLOUD, Place.LOCAL, Place.EDGE, Left.INTERNET),
    ],
)
async def test_left_is_the_furthest_that_anything_of_the_turn_went(
    model: Place, asr: Place, tts: Place, left: Left
) -> None:
    talk = Talk(model, asr=asr)
    talk.tts.place = tts
    assert await talk.ask() is left


async def test_what_a_discarded_draft_sent_has_left_all_the_same() -> None:
    """Its question went to the LAN, though what is answered in the end never did."""
    talk = Talk(Place.EDGE, CHANGED)
    async with talk.room as room:
        await room.speak(600)
        assert talk.model.opened == 1
        assert room.session.replies.running == {}
        talk.model.place = Place.LOCAL
        await room.quiet(760)
        ended = await room.told.wait_for(ReplyEnded)
    assert talk.model.opened == 2
    assert ended.outcome.left is Left.LAN


async def test_each_who_is_asked_has_the_time_that_is_its_own() -> None:
    """The reply is not given up for what the ones before have taken."""
    stuck = [FakeResponder(lambda prompt: [Fault.STALL], name) for name in ("one", "two", "three")]
    last = FakeResponder(lambda prompt: [Text("It is. "), Done("last")], "last")
    tiers = {model.name: Tier(model, Breaker(model.name), 15.0) for model in (*stuck, last)}
    commands = FakeResponder(house, COMMANDS)
    router = Router(commands, tiers, [*tiers], "")
    async with Room(asr=FakeAsr("why is it"), responder=router) as room:
        await room.ask()
        assert await room.answered() == "It is. "

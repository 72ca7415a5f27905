"""How a conversation goes when nothing breaks; see docs/flow.md."""

import asyncio
from collections.abc import Iterable

from airos_edge.engines.lease import Lease
from airos_edge.voice import events
from airos_edge.voice.announce import announce
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.floor import Floor, Rank
from airos_edge.voice.flow import Scope
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Call, Done, Prompt, Speaking, Text
from airos_edge.voice.utterance import Judgement
from tests.fakes import At, Do, FakeAsr, FakeResponder, FakeTools, FakeTts, Said, Step, fake_engines
from tests.room import FakeSpeaker, Room, silence, speech

PUSH = TurnRules(detection="push")
LONG = Text("One two three four five six seven eight nine ten.")
"""2500 ms of speech."""


def says(*script: Step) -> FakeResponder:
    return FakeResponder(lambda prompt: [*script, Done("fake")])


# ---- a turn -------------------------------------------------------------------------------------


async def test_a_plain_turn() -> None:
    asr = FakeAsr(Said("turn on the light", [At(300, "turn on"), At(600, "turn on the light")]))
    tools = FakeTools("on")
    responder = says(Do(Call("light_on")), Text("The light is on."))
    async with Room(asr=asr, responder=responder, tools=tools) as room:
        await room.ask(800)
        assert await room.answered() == "The light is on."
        assert tools.calls == [Call("light_on")]
        assert responder.results == ["on"]
        assert room.speaker.text == "The light is on."
        assert room.texts == ["turn on the light", "The light is on."]
        room.follows("A plain turn")


async def test_who_goes_on_after_a_complete_command_is_heard_out() -> None:
    words = [At(300, "turn on", Judgement.PREFIX), At(600, "turn on the light", Judgement.COMPLETE)]
    longer = At(1000, "turn on the light in the hall", Judgement.COMPLETE)
    asr = FakeAsr(Said(longer.text, [*words, longer]))
    tools = FakeTools("on")
    responder = FakeResponder(
        lambda prompt: [Do(Call(prompt.question)), Text("It is on."), Done("fake")]
    )
    async with Room(asr=asr, responder=responder, tools=tools) as room:
        await room.speak(640)
        await room.quiet(80)
        assert responder.opened == 1, "a draft of an answer to the words so far"
        await room.ask(400)
        assert await room.answered() == "It is on."
        assert responder.opened == 2
        assert tools.calls == [Call("turn on the light in the hall")]
        assert room.texts == ["turn on the light in the hall", "It is on."]
        room.follows("A command that goes on")


async def test_text_in_without_an_utterance() -> None:
    async with Room(manner=Prompt()) as room:
        room.session.add(Item("item_1", role="user", text="what time is it"))
        room.session.respond()
        assert await room.answered() == "You said what time is it."
        assert room.speaker.mouths == []
        room.follows("Text in, text out")


async def test_a_reply_apart_beside_a_spoken_one() -> None:
    apart = FakeSpeaker()
    async with Room(responder=FakeResponder(lambda prompt: [LONG, Done("fake")])) as room:
        await room.ask()
        await room.quiet(200)
        prompt = Prompt((Item("item_1", role="user", text="sum it up"),))
        room.session.respond(prompt, {"topic": "summary"}, apart=Floor(apart))
        await room.answered(2)
        first, second = room.told.of(events.ReplyEnded)
        assert (first.apart, first.metadata) == (True, {"topic": "summary"})
        assert (second.apart, second.metadata) == (False, None)
        assert room.texts == ["hello", LONG.text], "what was said apart is not remembered"
        assert room.speaker.text == LONG.text
        room.follows("A reply apart, beside a spoken one")


async def test_a_session_that_only_transcribes() -> None:
    async with Room(TurnRules(answer="never"), asr=FakeAsr("first", "second")) as room:
        await room.ask()
        await room.ask()
        await room.quiet(1000)
        assert room.texts == ["first", "second"]
        assert room.engines.responder.opened == 0  # type: ignore[attr-defined]
        room.follows("Transcription only")


async def test_a_clients_call_ends_the_reply_and_its_result_continues() -> None:
    def script(prompt: Prompt) -> Iterable[Step]:
        if prompt.items[-1].kind == "function_call_output":
            return [Text(f"It is {prompt.items[-1].text}."), Done("fake")]
        return [Text("One moment."), Call("weather", {"day": "today"}, "call_1"), Done("fake")]

    async with Room(asr=FakeAsr("what is the weather"), responder=FakeResponder(script)) as room:
        await room.ask()
        await room.answered()
        outcome = room.told.of(events.ReplyEnded)[0].outcome
        assert outcome.items[-1].call_id == "call_1"
        room.session.add(Item("item_2", kind="function_call_output", call_id="call_1", text="warm"))
        room.session.respond()
        assert await room.answered(2) == "It is warm."
        room.follows("A client's call, and the reply that continues it")


# ---- push to talk -------------------------------------------------------------------------------


async def test_push_to_talk_with_commit() -> None:
    async with Room(PUSH) as room:
        await room.speak(600)
        await room.quiet(5000)
        room.session.commit()
        assert await room.answered() == "You said hello."
        room.follows("Push to talk: commit")


async def test_push_to_talk_with_clear() -> None:
    asr = FakeAsr("hello")
    async with Room(PUSH, asr=asr) as room:
        await room.speak(600)
        room.session.clear()
        await room.quiet(0)
        assert asr.opened == 0, "what was thrown away is not recognised"
        await room.speak(600)
        room.session.commit()
        assert await room.answered() == "You said hello."
        assert room.texts == ["hello", "You said hello."]
        room.follows("Push to talk: clear")


async def test_push_to_talk_and_nothing_came() -> None:
    async with Room(TurnRules(detection="wake")) as room:
        room.session.open("push", patience_ms=2000)
        await room.quiet(2500)
        assert room.texts == []
        room.follows("A button, and nobody speaks")


# ---- others who speak ---------------------------------------------------------------------------


async def test_an_announcement_in_a_turn() -> None:
    async with Room(asr=FakeAsr("count"), responder=says(LONG)) as room:
        await room.ask()
        await room.quiet(740)
        heard_ms = await announce("Dinner!", Rank.ANNOUNCE, room.engines, room.floor, Speaking())
        assert heard_ms == 350
        assert await room.answered() == LONG.text
        assert [mouth.hushed_at for mouth in room.speaker.mouths] == [None, None]
        assert room.texts == ["count", LONG.text]
        room.follows("An announcement in a turn")


async def test_a_ringing_timer_goes_before_an_announcement_in_a_turn() -> None:
    async with Scope() as scope, Room(asr=FakeAsr("count"), responder=says(LONG)) as room:
        await room.ask()
        await room.quiet(740)
        announcing = scope.start(
            announce("Dinner is ready.", Rank.ANNOUNCE, room.engines, room.floor, Speaking()),
            "announcing",
        )
        await room.quiet(100)
        await announce("Ring!", Rank.RING, room.engines, room.floor, Speaking())
        assert await announcing == 800
        await room.answered()
        last_played = [mouth.played[-1][0] for mouth in room.speaker.mouths]
        answer, announcement, ring = last_played
        assert ring < announcement < answer
        room.follows("A ringing timer, over an announcement, over an answer")


async def test_an_answer_waits_for_an_announcement_and_is_interrupted_while_it_waits() -> None:
    async with Scope() as scope, Room(asr=FakeAsr("first", "second")) as room:
        long = "An announcement that is longer than any question and its answer could be."
        scope.start(announce(long, Rank.RING, room.engines, room.floor, Speaking()), "announcing")
        await room.ask()
        await room.quiet(100)
        assert room.session.replies.active is not None
        await room.ask()
        assert await room.answered(2) == "You said second."
        assert room.texts == ["first", "", "second", "You said second."]


# ---- other engines ------------------------------------------------------------------------------


async def test_a_hot_swap_in_a_turn() -> None:
    class Closing(FakeTts):
        closed_s: float | None = None

        async def aclose(self) -> None:
            self.closed_s = asyncio.get_running_loop().time()

    old, new = Closing(name="old_voice"), Closing(name="new_voice")
    async with Room(lease=Lease, tts=old, asr=FakeAsr("first", "second")) as room:
        await room.ask()
        await room.quiet(100)
        parts = {"asr": room.engines.asr, "responder": room.engines.responder}
        room.lease.swap(fake_engines(tts=new, **parts))
        assert await room.answered() == "You said first."
        ended_s = asyncio.get_running_loop().time()
        await room.ask()
        assert await room.answered(2) == "You said second."
        assert (old.opened, new.opened) == (1, 1)
        assert old.closed_s == ended_s, "after its turn and not before"
        assert new.closed_s is None
        room.follows("A hot swap in a turn")
    await room.lease.aclose()


# ---- clients ------------------------------------------------------------------------------------


async def test_a_slow_client_holds_back_itself_only() -> None:
    slow, quick = Room(responder=says(*[LONG] * 20)), Room(responder=says(LONG))
    slow.speaker.is_stuck = True
    with slow.hub.watch(size=4) as watch:
        async with slow, quick:
            for chunk in speech(600) + silence(760):
                await asyncio.sleep(chunk.ms / 1000)
                slow.session.feed(chunk)
                quick.session.feed(chunk)
            assert await quick.answered() == LONG.text
            await asyncio.sleep(600)
            assert slow.told.of(events.ReplyEnded) == []
            assert slow.speaker.text == "One "
            assert len(slow.engines.tts.sentences) == 1  # type: ignore[union-attr]
            assert watch.dropped > 0
            slow.follows("A slow client")


async def test_a_client_that_vanishes() -> None:
    asr = FakeAsr("first", Said("second", takes_ms=5000))
    room = Room(asr=asr, responder=says(LONG))
    async with room:
        await room.ask()
        await room.quiet(500)
        await room.speak(200)
    room.nothing_is_open()
    assert room.speaker.mouths[0].hushed_at == asyncio.get_running_loop().time()
    assert room.texts == ["first", "One two three"]
    room.follows("A client that vanishes")

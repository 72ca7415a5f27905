"""The box with its real engines and no doors: what it hears, what it keeps, and what it says is wrong."""

import asyncio
import json
from dataclasses import replace

import pytest

from airos_edge.box import Box, open_box
from airos_edge.config import Config
from airos_edge.engines import asr_pocketsphinx, opening
from airos_edge.engines.choosing import Choice
from airos_edge.engines.llm import LlmSettings
from airos_edge.engines.settings import AsrSettings, TtsSettings, WakeSettings
from airos_edge.errors import AirosError, ConfigError, EngineUnavailable
from airos_edge.health import PartsRenewed
from airos_edge.home.house import (
    AreaSettings,
    DeviceChanged,
    DeviceSettings,
    State,
    VirtualDevices,
)
from airos_edge.home.house import Settings as HomeSettings
from airos_edge.home.names import number_words
from airos_edge.home.timers import Timer
from airos_edge.http.ask import ask
from airos_edge.http.hearing import hear
from airos_edge.http.settings import Settings as ServerSettings
from airos_edge.router.approval import Approving
from airos_edge.router.router import Settings as RouterSettings
from airos_edge.tools.settings import ToolServerSettings
from airos_edge.voice import events
from airos_edge.voice.flow import Scope
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Place, Responder
from airos_edge.voice.waking import WordSettings
from airos_edge.wyoming.settings import Settings as WyomingSettings
from tests.model_server import LIMIT_S, Cut, Wait, model_server, says
from tests.room import FakeSpeaker, Tape
from tests.speech import noise, pieces, spoken, spoken_on

ATTIC = HomeSettings(
    areas=(AreaSettings("attic"),), devices=(DeviceSettings("attic light", "light", "attic"),)
)


async def test_after_its_wake_word_it_hears_a_command_and_answers() -> None:
    told, speaker = Tape(), FakeSpeaker()
    async with open_box(Config(), demo=True) as box:
        rules = replace(box.rules(), detection="wake")
        async with box.open_session(told, speaker, rules) as session:
            said = [
                noise(500),
                spoken("hey jarvis", after_ms=300),
                spoken("turn on the kitchen light", after_ms=1500),
            ]
            for sound in said:
                for piece in pieces(sound):
                    await asyncio.sleep(piece.ms / 1000)
                    session.feed(piece)
            ended = await told.wait_for(events.ReplyEnded)
    (woke,) = told.of(events.Woke)
    assert woke.word == "hey_jarvis"
    assert woke.score > 0.5
    assert -60 < woke.loudness_dbfs < 0
    assert told.of(events.SpeechStarted)[0].opened_by == "wake"
    assert told.of(events.Transcribed)[0].text == "turn on the kitchen light"
    assert ended.outcome.intent == "HassTurnOn"
    assert speaker.text == "Turned on the light, in the demo house"


@pytest.mark.parametrize("later_ms", [0, 30, 60])
@pytest.mark.parametrize(
    ("word", "text", "voice"),
    [
        ("hey_jarvis", "hey jarvis", "en-us"),
        ("hey_jarvis", "hey jarvis", "en-gb"),
        ("alexa", "alexa", "en-gb"),
        ("hey_rhasspy", "hey rhasspy", "en-us"),
    ],
)
async def test_wake_word_and_command_may_be_said_in_one_breath(
    word: str, text: str, voice: str, later_ms: int
) -> None:
    wake = WakeSettings(words={word: WordSettings()})
    # How certain the words are is not the matter here, but that none is cut or added.
    told, config = Tape(), replace(Config(), wake=wake, asr=AsrSettings(certainty=0.2))
    async with open_box(config, demo=True) as box:
        rules = replace(box.rules(), detection="wake")
        async with box.open_session(told, FakeSpeaker(), rules) as session:
            said = spoken(f"{text} what time is it", voice=voice, after_ms=1500)
            for piece in pieces(noise(1000 + later_ms)) + pieces(said):
                await asyncio.sleep(piece.ms / 1000)
                session.feed(piece)
            await told.wait_for(events.ReplyEnded)
    assert [woke.word for woke in told.of(events.Woke)] == [word]
    assert [one.text for one in told.of(events.Transcribed)] == ["what time is it"]


async def test_talk_without_the_wake_word_is_not_listened_to() -> None:
    told = Tape()
    async with open_box(Config(), demo=True) as box:
        rules = replace(box.rules(), detection="wake")
        async with box.open_session(told, FakeSpeaker(), rules) as session:
            for piece in pieces(spoken("turn on the kitchen light", after_ms=1500)):
                session.feed(piece)
                await asyncio.sleep(piece.ms / 1000)
    assert told.names == ["SessionEnded"]


async def test_a_complete_command_closes_sooner_than_the_usual_silence() -> None:
    told = Tape()
    async with open_box(Config(), demo=True) as box:
        async with box.open_session(told, FakeSpeaker(), box.rules()) as session:
            sound = spoken("is the kitchen light on", before_ms=500, after_ms=1500)
            closed_at = 0.0
            for piece in pieces(sound):
                session.feed(piece)
                await asyncio.sleep(piece.ms / 1000)
                if not closed_at and told.of(events.SpeechStopped):
                    closed_at = asyncio.get_running_loop().time()
            await told.wait_for(events.ReplyEnded)
        silence_ms = closed_at * 1000 - (sound.ms - 1500)
        usual_ms = box.rules().silence_ms(None)
    assert silence_ms < usual_ms / 2


@pytest.mark.parametrize("pause_ms", [80, 95])
async def test_who_goes_on_after_a_command_that_could_have_ended_is_heard_out(
    pause_ms: int,
) -> None:
    told = Tape()
    said = spoken_on("turn on the lights", pause_ms, "in the kitchen")
    async with open_box(Config(), demo=True) as box:
        with box.hub.watch() as watch:
            async with box.open_session(told, FakeSpeaker(), box.rules()) as session:
                for piece in pieces(said):
                    session.feed(piece)
                    await asyncio.sleep(piece.ms / 1000)
                await told.wait_for(events.ReplyEnded)
            changed = [event async for event in _until_device_changed(watch)][-1]
    (heard,) = told.of(events.Transcribed)
    assert heard.text == "turn on the lights in the kitchen"
    assert isinstance(changed, DeviceChanged)
    assert changed.name == "kitchen light"
    assert told.of(events.ReplyEnded)[0].outcome.slots["area"] == "kitchen"


async def test_a_pause_in_the_middle_does_not_end_the_question() -> None:
    told = Tape()
    async with (
        open_box(Config(), demo=True) as box,
        box.open_session(told, FakeSpeaker(), box.rules()) as session,
    ):
        for piece in pieces(spoken_on("is the kitchen light", 250, "on")):
            session.feed(piece)
            await asyncio.sleep(piece.ms / 1000)
        await told.wait_for(events.ReplyEnded)
    assert [heard.text for heard in told.of(events.Transcribed)] == ["is the kitchen light on"]


async def test_of_two_numbers_that_sound_alike_it_asks_which_and_takes_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asr_pocketsphinx, "CLOSE", 1.0)  # any two are too close to be told apart
    monkeypatch.setattr(asr_pocketsphinx, "certainty", lambda segments: 0.6)  # and none is sure
    told, speaker = Tape(), FakeSpeaker()
    async with (
        open_box(Config()) as box,
        box.open_session(told, speaker, box.rules()) as session,
    ):

        async def say(text: str, nth: int) -> events.Outcome:
            for piece in pieces(spoken(text, before_ms=600, after_ms=1000)):
                session.feed(piece)
                await asyncio.sleep(piece.ms / 1000)
            return (await told.wait_for(events.ReplyEnded, nth)).outcome

        asked = await say("set a timer for fifteen minutes", 1)
        one, other = asked.text.lower().removesuffix(" minutes?").split(" or ")
        done = await say(other, 2)
    assert one != other
    assert asked.intent is None
    assert done.intent == "HassStartTimer"
    assert number_words(done.slots["minutes"]) == other


async def test_what_happens_to_a_device_is_published() -> None:
    async with open_box(Config(), demo=True) as box:
        with box.hub.watch() as watch:
            await ask("turn on the kitchen light", box.open_asking)
            changed = [event async for event in _until_device_changed(watch)][-1]
    assert isinstance(changed, DeviceChanged)
    assert (changed.name, changed.state.text) == ("kitchen light", "on")


async def _until_device_changed(watch):  # type: ignore[no-untyped-def]
    async for event in watch:
        yield event
        if isinstance(event, DeviceChanged):
            return


async def test_an_answer_is_all_that_can_be_printed_as_json() -> None:
    async with open_box(Config(), demo=True) as box:
        answer = (await ask("set a timer for five minutes", box.open_asking)).as_json()
    assert json.loads(json.dumps(answer)) == answer
    assert {"transcript", "intent", "slots", "answer", "tier", "left", "stages_ms"} <= set(answer)
    assert answer["slots"] == {"minutes": 5}


async def test_an_empty_house_knows_the_time_and_says_honestly_what_it_does_not_know() -> None:
    async with open_box(Config()) as box:
        assert (await ask("what time is it", box.open_asking)).outcome.status == "completed"
        answer = await ask("tell me a story", box.open_asking)
    assert answer.outcome.text == "I only know house commands yet."


async def test_a_timer_rings_and_is_gone() -> None:
    async with open_box(Config()) as box:
        with box.hub.watch() as watch:
            await ask("set a timer for ten seconds", box.open_asking)
            before = asyncio.get_running_loop().time()
            async for event in watch:
                if isinstance(event, events.TimerFinished):
                    break
            assert asyncio.get_running_loop().time() - before == pytest.approx(10, abs=0.5)
        left = await ask("how much time is left on the timer", box.open_asking)
    assert "no timers" in left.outcome.text.lower()


async def test_a_reload_keeps_what_it_does_not_change() -> None:
    config = replace(Config(), home=ATTIC)
    async with open_box(config) as box:
        await ask("turn on the attic light", box.open_asking)
        await ask("set a timer for five minutes", box.open_asking)
        before = box._parts
        voice = replace(config, tts=TtsSettings(rate=1.5))
        assert await box.reload(voice) == "tts"
        after = box._parts
        assert after.engines.tts is not before.engines.tts
        assert after.engines.asr is before.engines.asr
        assert after.open_wake is before.open_wake
        state = await ask("is the attic light on", box.open_asking)
        timer = await ask("how much time is left on the timer", box.open_asking)
    assert state.outcome.text.startswith("Yes")
    assert "minutes" in timer.outcome.text


async def test_models_are_kept_with_their_connections_until_they_are_configured_otherwise() -> None:
    fast, big = (
        LlmSettings(url="http://127.0.0.1:9/v1", model=model) for model in ("tiny", "large")
    )
    config = replace(Config(), llm={"fast": fast, "big": big})
    async with open_box(config, demo=True) as box:
        before = _models(box)
        await box.reload(replace(config, llm={"fast": fast}, language="de"))
        assert _models(box)["fast"] is before["fast"]
        assert "big" not in _models(box)
        await box.reload(replace(config, llm={"fast": replace(fast, temperature=1.0)}))
        assert _models(box)["fast"] is not before["fast"]
        gone = _models(box)["fast"]
        await box.reload(Config())
        await box.reload(config)
        assert _models(box)["big"] is not before["big"], "it has been closed"
        assert _models(box)["fast"] is not gone


@pytest.mark.real_time
async def test_a_conversation_that_is_open_goes_no_further_than_a_reload_allows() -> None:
    with model_server(says("From afar.")) as server:
        far = LlmSettings(url=server.url, model="tiny", place=Place.CLOUD)
        config = replace(
            Config(),
            llm={"far": far},
            router=RouterSettings(("commands", "far")),
            reach=Place.CLOUD,
        )
        told = Tape()
        async with open_box(config, ports=()) as box, box.open_asking(told, FakeSpeaker()) as talk:
            await box.reload(replace(config, reach=Place.LOCAL))
            talk.add(Item("question", role="user", text="why is the sky blue"))
            talk.respond()
            outcome = (await told.wait_for(events.ReplyEnded)).outcome
        assert server.requests == []
    assert outcome.text == "I only know house commands yet."


async def test_a_model_that_does_not_answer_degrades_the_box_until_it_is_gone() -> None:
    fast = LlmSettings(url="http://127.0.0.1:9/v1", model="tiny")
    config = replace(Config(), llm={"fast": fast}, router=RouterSettings(("commands", "fast")))
    async with open_box(config, demo=True) as box:
        assert box.state()["status"] == "ok"
        assert box.state()["parts"]["llm fast"]["state"] == "starting"
        answer = (await ask("why is the sky blue", box.open_asking)).as_json()
        assert answer["status"] == "failed"
        assert "fast: cannot be reached at http://127.0.0.1:9/v1" in answer["error"]
        part = box.state()["parts"]["llm fast"]
        assert part["state"] == "degraded"
        assert "does its server run?" in part["why"]
        assert box.check()["models"] == {"fast": "tiny at http://127.0.0.1:9/v1 (local)"}
        with box.hub.watch(8, PartsRenewed) as watch:
            await box.reload(Config())
            assert watch.take() == [PartsRenewed()], "who shows the parts looks again"
        assert box.state()["status"] == "ok"


@pytest.mark.real_time
async def test_a_model_that_fails_after_it_was_taken_out_is_no_part_of_the_box_any_more() -> None:
    with model_server([Wait(0.5), Cut()]) as server:
        fast = LlmSettings(url=server.url, model="tiny")
        config = replace(Config(), llm={"fast": fast}, router=RouterSettings(("fast",)))
        async with open_box(config, ports=()) as box, Scope() as scope:
            asking = scope.start(ask("why is the sky blue", box.open_asking), "asking")
            assert await asyncio.to_thread(server.asked.wait, LIMIT_S)
            await box.reload(Config())
            assert (await asking).outcome.status == "failed"
            assert "fast" not in box.state()["parts"]


def _models(box: Box) -> dict[str, Responder]:
    responder = box._parts.engines.responder
    assert isinstance(responder, Approving)
    return {part.name: part for part in responder.parts}


async def test_a_renamed_lamp_is_understood_by_its_new_name_only() -> None:
    async with open_box(replace(Config(), home=ATTIC)) as box:
        renamed = replace(ATTIC, devices=(DeviceSettings("roof light", "light", "attic"),))
        assert await box.reload(replace(Config(), home=renamed)) == "home"
        new = await ask("turn on the roof light", box.open_asking)
        old = await ask("turn on the attic light", box.open_asking)
        spoken_new = spoken("turn on the roof light", before_ms=300, after_ms=300)
        heard = await ask(spoken_new.pcm, box.open_asking)
    assert (new.outcome.intent, heard.outcome.intent) == ("HassTurnOn", "HassTurnOn")
    assert old.outcome.slots.get("name") != "attic light"


class FoundLamp(VirtualDevices):
    """A lamp that was found, once it is there."""

    def __init__(self) -> None:
        self.state, self.is_there = State(True), False

    def found(self) -> list[DeviceSettings]:
        return [DeviceSettings("hall lamp")] if self.is_there else []

    def state_of(self, name: str) -> State:
        return self.state


async def test_a_lamp_that_was_found_is_understood_until_it_is_gone_and_a_reload_keeps_it() -> None:
    lamp = FoundLamp()
    async with open_box(Config(), demo=True) as box:
        box.add_source(lamp)
        assert box.check()["demo"]
        lamp.is_there = True
        await box.refurnish()
        assert box.check()["devices"] == ["hall lamp"]
        assert not box.check()["demo"], "a house with a device of its own is for no demonstration"
        on = await ask("is the hall lamp on", box.open_asking)
        lamp.state = State(False)
        box.device_changed("hall lamp")
        off = await ask("is the hall lamp on", box.open_asking)
        heard = await ask(
            spoken("turn on the hall lamp", before_ms=300, after_ms=300).pcm, box.open_asking
        )
        await box.reload(replace(Config(), home=ATTIC))
        assert box.check()["devices"] == ["attic light", "hall lamp"]
        lamp.is_there = False
        await box.refurnish()
        assert box.check()["devices"] == ["attic light"]
    assert on.outcome.text.startswith("Yes")
    assert off.outcome.text.startswith("No")
    assert heard.outcome.intent == "HassTurnOn"


async def test_a_reload_that_cannot_be_done_changes_nothing() -> None:
    async with open_box(replace(Config(), home=ATTIC)) as box:
        elsewhere = replace(Config(), home=HomeSettings(), server=ServerSettings(port=1))
        with pytest.raises(AirosError, match="restart"):
            await box.reload(elsewhere)
        moved = replace(Config(), home=ATTIC, wyoming=WyomingSettings(services=None))
        with pytest.raises(AirosError, match="wyoming: it changes with a restart only"):
            await box.reload(moved)
        nowhere = replace(ATTIC, areas=())
        with pytest.raises(AirosError, match="attic"):
            await box.reload(replace(Config(), home=nowhere))
        assert await box.reload(replace(Config(), home=ATTIC)) == "nothing"
        assert (
            await ask("turn on the attic light", box.open_asking)
        ).outcome.intent == "HassTurnOn"


async def test_an_engine_that_cannot_be_opened_degrades_one_thing_and_is_named() -> None:
    config = replace(Config(), wake=WakeSettings(words={"hey_jarvish": WordSettings()}))
    async with open_box(config) as box:
        health = box.state()
        assert health["status"] == "degraded"
        assert "hey_jarvis" in health["parts"]["wake"]["why"]
        assert health["parts"]["asr"] == {"engine": "pocketsphinx", "state": "ok"}
        assert (await ask("what time is it", box.open_asking)).outcome.status == "completed"
        with pytest.raises(EngineUnavailable, match="hey_jarvis"):
            box.open_session(Tape(), FakeSpeaker(), replace(box.rules(), detection="wake"))
        assert await box.reload(Config()) == "wake"
        assert box.state()["status"] == "ok"


async def test_a_wake_word_that_cannot_be_heard_is_named_and_the_others_go_on() -> None:
    words = {"hey_jarvis": WordSettings(), "hey_mum": WordSettings(model="/nowhere/mum.onnx")}
    async with open_box(replace(Config(), wake=WakeSettings(words=words))) as box:
        health = box.state()
        assert health["status"] == "degraded"
        assert health["parts"]["wake"] == {"engine": "openwakeword", "state": "ok"}
        assert health["parts"]["wake hey_mum"]["state"] == "failed"
        assert "/nowhere/mum.onnx: No such file" in health["parts"]["wake hey_mum"]["why"]
        heard = [
            hit.word
            for waking in [box.waking()]
            for piece in spoken("hey jarvis", "en-gb", after_ms=1000).pieces(320)
            for hit in waking.feed(piece)
        ]
        assert heard == ["hey_jarvis"]
        assert await box.reload(Config()) == "wake"
        assert box.state()["status"] == "ok"


async def test_a_box_without_ears_answers_what_is_typed_and_fails_what_is_said() -> None:
    async with open_box(replace(Config(), language="de")) as box:
        assert box.state()["parts"]["asr"]["state"] == "failed"
        typed = await ask("wie spät ist es", box.open_asking)
        heard = await ask(spoken("what time is it").pcm, box.open_asking)
    assert typed.outcome.status == "completed"
    assert typed.outcome.intent == "HassGetCurrentTime"
    assert heard.outcome.status == "failed"
    assert heard.outcome.error is not None


async def test_what_is_said_aloud_is_given_as_sound_and_published() -> None:
    async with open_box(Config()) as box:
        with box.hub.watch() as watch:
            wav = await box.loudspeaker.say("good morning")
            assert isinstance(await anext(watch), events.Announced)
    assert wav.startswith(b"RIFF")
    assert len(wav) > 10_000


async def test_on_a_box_with_a_loudspeaker_it_is_said_there_unless_it_is_to_be_quiet() -> None:
    speaker = FakeSpeaker()
    async with open_box(Config()) as box:
        box.loudspeaker.use(speaker)
        assert await box.loudspeaker.say("good morning") == b""
        assert speaker.text == "good morning"
        assert (await box.loudspeaker.say("good evening", aloud=False)).startswith(b"RIFF")
        assert speaker.text == "good morning"


async def test_a_timer_rings_three_times_or_until_it_is_hushed() -> None:
    speaker = FakeSpeaker()
    async with open_box(Config()) as box:
        box.loudspeaker.use(speaker)
        await box.loudspeaker.ring(Timer(5, 0))
        assert speaker.text == "The timer is over." * 3
        async with Scope() as scope:
            ringing = scope.start(box.loudspeaker.ring(Timer(5, 0)), "ringing")
            await asyncio.sleep(3)
            assert box.loudspeaker.hush()
            await ringing
        assert not box.loudspeaker.hush()
    assert speaker.mouths[-1].text == "The timer is over."


async def test_hushed_the_box_ends_the_answer_of_its_own_conversation() -> None:
    told, speaker = Tape(), FakeSpeaker()
    async with open_box(Config(), demo=True) as box:
        box.loudspeaker.use(speaker)
        async with box.open_own_session(told, box.rules()) as session:
            session.add(Item("item_1", role="user", text="turn on the lights"))
            session.respond()
            await told.wait_for(events.ItemStarted)
            await asyncio.sleep(0.5)
            assert box.loudspeaker.hush()
            (ended,) = told.of(events.ReplyEnded)
    assert (ended.outcome.status, ended.outcome.reason) == ("cancelled", "hushed")
    assert len(speaker.mouths) == 1


async def test_without_a_voice_what_is_asked_is_done_and_answered_in_writing() -> None:
    async with open_box(replace(Config(), tts=TtsSettings(voice="xx")), demo=True) as box:
        assert box.state()["parts"]["tts"]["state"] == "failed"
        answer = await ask("turn on the kitchen light", box.open_asking)
        state = await ask("is the kitchen light on", box.open_asking)
    assert answer.outcome.status == "completed"
    assert answer.wav == b""
    assert state.outcome.text.startswith("Yes")


async def test_it_tells_the_voices_that_it_can_be_asked_for() -> None:
    async with open_box(Config()) as box:
        assert {"en-us", "en-gb", "de"} <= set(box.voices() or ())
    async with open_box(replace(Config(), tts=TtsSettings(engine="tcp://127.0.0.1:1"))) as box:
        assert box.voices() is None, "a service elsewhere knows its own"


async def test_without_a_vad_it_can_be_typed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(choice: Choice, wanted: object) -> None:
        raise EngineUnavailable("silero_onnx", "is broken")

    monkeypatch.setattr(opening, "open_vad", broken)
    told = Tape()
    async with open_box(Config()) as box:
        async with box.open_session(told, FakeSpeaker(), box.rules()) as session:
            assert session.ear.deaf == "silero_onnx: is broken"
            for piece in pieces(spoken("what time is it", after_ms=1500)):
                session.feed(piece)
            session.add(Item("item_1", role="user", text="what time is it"))
            session.respond()
            ended = await told.wait_for(events.ReplyEnded)
        assert box.state()["parts"]["vad"] == {
            "engine": "silero_onnx",
            "state": "failed",
            "why": "silero_onnx: is broken",
        }
    assert ended.outcome.status == "completed"
    assert told.of(events.SpeechStarted) == []


async def test_what_was_done_is_not_done_again_when_nothing_new_was_said() -> None:
    told = Tape()
    async with open_box(Config()) as box:
        async with box.open_session(told, FakeSpeaker(), box.rules()) as session:
            session.add(Item("item_1", role="user", text="set a timer for five minutes"))
            for count in (1, 2):
                session.respond()
                await told.wait_for(events.ReplyEnded, count)
            session.add(Item("item_2", kind="function_call_output", call_id="x", text="done"))
            session.respond()
            await told.wait_for(events.ReplyEnded, 3)
        status = await ask("how much time is left on the timer", box.open_asking)
    intents = [ended.outcome.intent for ended in told.of(events.ReplyEnded)]
    assert intents == ["HassStartTimer", None, None]
    assert "2 running" not in status.outcome.text


async def test_where_nothing_stays_to_ring_no_timer_is_kept() -> None:
    async with open_box(Config(), most_timers=0) as box:
        answer = await ask("set a timer for five minutes", box.open_asking)
    assert answer.outcome.text == "Sorry, I can keep a timer only while the daemon runs"


async def test_it_says_what_it_runs_with() -> None:
    bad_voice = replace(Config(), tts=TtsSettings(voice="nobody"), home=ATTIC)
    async with open_box(bad_voice, demo=True) as box:
        parts = box.check()
    assert parts["devices"] == ["attic light"]
    assert not parts["demo"], "a house of one's own is not for demonstration"
    assert parts["engines"]["tts"]["engine"] is None
    assert "nobody" in parts["engines"]["tts"]["why"]


async def test_what_is_too_long_to_be_a_command_is_none() -> None:
    async with open_box(Config(), demo=True) as box:
        answer = await ask("turn on the kitchen light " * 100, box.open_asking)
    assert answer.outcome.intent is None


# ---- tools --------------------------------------------------------------------------------------


async def test_a_tool_server_begins_with_the_box_and_ends_with_a_reload() -> None:
    config = replace(Config(), tools={"files": ToolServerSettings("npx", allow=("read_file",))})
    async with open_box(config, demo=True) as box:
        assert box.state()["parts"]["mcp files"]["state"] == "ok"
        assert await box.reload(Config()) == "tools"
        assert "mcp files" not in box.state()["parts"]


async def test_a_reload_with_an_unclear_tool_server_changes_nothing() -> None:
    config = replace(Config(), tools={"files": ToolServerSettings("npx")})
    async with open_box(config, demo=True) as box:
        with pytest.raises(ConfigError, match=r"tools\.web: wants a command or a url"):
            await box.reload(replace(config, tools={"web": ToolServerSettings()}))
        assert "mcp files" in box.state()["parts"]


async def test_a_recording_of_two_commands_is_heard_and_nothing_is_done() -> None:
    sound = spoken("turn on the bedroom lamp", before_ms=500, after_ms=1200).pcm
    async with open_box(Config(), demo=True) as box:
        found = [one.text async for one in hear(sound + sound, box.open_hearing)]
        assert found == ["turn on the bedroom lamp"] * 2
        state = await ask("is the bedroom lamp on", box.open_asking)
        assert state.outcome.text.startswith("No")


async def test_where_nothing_recognises_speech_no_recording_is_heard() -> None:
    async with open_box(Config(), ports=("vad",)) as box:
        with pytest.raises(EngineUnavailable, match="asr: is not wanted here"):
            box.open_hearing(lambda event: None)


async def test_a_german_house_is_asked_answers_and_rings_in_german() -> None:
    speaker = FakeSpeaker()
    config = replace(Config(), language="de-AT")
    async with open_box(config, demo=True, ports=("tts",)) as box:
        answer = await ask("Schalte das Licht in der Küche ein.", box.open_asking)
        assert answer.outcome.text == "Licht eingeschaltet, im Demo-Haus"
        assert answer.wav
        box.loudspeaker.use(speaker)
        await box.loudspeaker.ring(Timer(60, 0.0))
        assert speaker.text.startswith("Der Timer ist abgelaufen.")


async def test_others_are_answered_in_their_language_and_with_their_voice() -> None:
    config = replace(Config(), languages=("de", "gl"))
    async with open_box(config, demo=True, ports=("tts",)) as box:
        answer = await ask("Wie spät ist es?", box.open_asking)
        assert answer.outcome.text.startswith("Es ist ")
        async with box.open_asking(lambda event: None, FakeSpeaker()) as session:
            assert session.hints.languages == ("en", "de", "gl")
            assert session.manner.languages == ("de",), "there is no voice for Galician"
        assert set(box.check()["languages"]) == {"en", "de", "gl"}


async def test_a_house_of_one_language_does_not_have_its_recogniser_choose() -> None:
    async with (
        open_box(Config(), ports=("tts",)) as box,
        box.open_asking(lambda event: None, FakeSpeaker()) as session,
    ):
        assert (session.hints.languages, session.manner.languages) == ((), ())

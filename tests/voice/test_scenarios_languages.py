"""A house where several languages are spoken: what was heard decides how it is answered. No sound."""

from dataclasses import replace

import pytest

from airos_edge.home.demo import demo_house
from airos_edge.home.house import AreaSettings, DeviceSettings, Settings
from airos_edge.languages.phrases import phrases
from airos_edge.router.commands import Commands
from airos_edge.voice import events
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.ports import Done, Hints, Prompt, Speaking, Text
from airos_edge.voice.utterance import Judgement
from tests.fakes import At, FakeAsr, FakeResponder, FakeTts, Fault, Said
from tests.home.people import People
from tests.room import Room

HOUSE = Settings(
    (AreaSettings("kitchen", ("Küche",)),),
    (DeviceSettings("kitchen light", "light", "kitchen", ("Küchenlicht",)),),
)
RULES = TurnRules(detection="speech")
LANGUAGES = ("en", "de", "gl")
"""There is no voice for the last one."""
HINTS = Hints("en", languages=LANGUAGES)
MANNER = Prompt(speaking=Speaking(), languages=("de",))


def spoken(room: Room) -> list[str]:
    """In which languages the voice was asked to speak."""
    tts = room.engines.tts
    assert isinstance(tts, FakeTts)
    return [how.language for how in tts.asked]


def house(people: People, *heard: Said | str) -> Room:
    room = Room(
        RULES,
        responder=Commands(people.commands),
        tools=people.commands.call,
        asr=FakeAsr(*heard),
        apology=lambda language: phrases(language).apology,
    )
    room.session.hints, room.session.manner = HINTS, MANNER
    return room


def heard_in(language: str | None, text: str) -> Said:
    return Said(text, [At(500, text, Judgement.COMPLETE)], language=language)


async def test_an_answer_is_in_the_language_that_was_heard_and_in_its_voice() -> None:
    german = heard_in("de", "Schalte das Küchenlicht ein")
    english = heard_in("en", "turn off the kitchen light")
    async with (
        People(HOUSE, language=("en", "de")) as people,
        house(people, german, english) as talk,
    ):
        await talk.ask()
        assert await talk.answered() == "Licht eingeschaltet"
        await talk.ask()
        assert await talk.answered(2) == "Turned off the light"
        assert spoken(talk) == ["de", "en"], "one draft each was enough"
        assert talk.engines.asr.hints[0].languages == LANGUAGES  # type: ignore[union-attr]
        transcribed = talk.told.of(events.Transcribed)
        assert [event.language for event in transcribed] == ["de", "en"]


async def test_a_recogniser_that_tells_no_language_is_answered_in_that_of_the_sentence() -> None:
    async with (
        People(HOUSE, language=("en", "de")) as people,
        house(people, heard_in(None, "Wie spät ist es?")) as talk,
    ):
        await talk.ask()
        assert await talk.answered() == "Es ist 15:05"
        assert spoken(talk) == ["de"]


@pytest.mark.parametrize(("heard", "voice"), [("gl", "en"), ("tlh", "en"), ("de-AT", "de")])
async def test_without_a_voice_for_it_the_usual_one_speaks(heard: str, voice: str) -> None:
    talk = Room(RULES, asr=FakeAsr(heard_in(heard, "hello")))
    talk.session.hints, talk.session.manner = HINTS, MANNER
    async with talk:
        await talk.ask()
        await talk.answered()
        assert spoken(talk) == [voice]


async def test_what_a_model_says_is_spoken_in_the_language_of_the_question() -> None:
    model = FakeResponder(lambda prompt: [Text("Guten Abend."), Done("model")])
    talk = Room(RULES, asr=FakeAsr(heard_in("de", "Sag etwas")), responder=model)
    talk.session.hints, talk.session.manner = HINTS, MANNER
    async with talk:
        await talk.ask()
        await talk.answered()
        assert spoken(talk) == ["de"]
        assert model.prompts[-1].question_language == "de"


async def test_a_language_that_is_not_spoken_here_is_not_believed() -> None:
    model = FakeResponder()
    talk = Room(RULES, asr=FakeAsr(heard_in("fr", "bonjour")), responder=model)
    talk.session.hints, talk.session.manner = HINTS, MANNER
    async with talk:
        await talk.ask()
        await talk.answered()
        assert model.prompts[-1].question_language is None


async def test_a_draft_is_kept_when_the_language_is_told_with_the_words() -> None:
    model = FakeResponder()
    talk = Room(RULES, asr=FakeAsr(heard_in("de", "Sag etwas")), responder=model)
    talk.session.hints, talk.session.manner = HINTS, MANNER
    async with talk:
        await talk.ask()
        await talk.answered()
        assert len(model.prompts) == 1


async def test_an_apology_is_in_the_language_of_the_question() -> None:
    model = FakeResponder(lambda prompt: [Fault.RAISE])
    talk = Room(
        RULES,
        asr=FakeAsr(heard_in("de", "Sag etwas")),
        responder=model,
        apology=lambda language: phrases(language).apology,
    )
    talk.session.hints, talk.session.manner = HINTS, MANNER
    async with talk:
        await talk.ask()
        await talk.answered()
        assert talk.speaker.text == phrases("de").apology
        assert spoken(talk) == ["de"]


async def test_a_question_back_and_its_answer_are_in_the_language_that_was_heard() -> None:
    doubtful = replace(heard_in("de", "Schalte alle Lichter aus"), sure=False)
    async with (
        People(demo_house("de"), language=("en", "de")) as people,
        house(people, doubtful, heard_in("nl", "Ja, bitte.")) as talk,
    ):
        await people.ask("Schalte die Stehlampe ein")
        await talk.ask()
        assert await talk.answered() == "Schalte alle Lichter aus?"
        await talk.ask()
        assert await talk.answered(2) == "Alle Lichter ausgeschaltet"
        assert list(people.on()) == []
        assert spoken(talk) == ["de", "de"]


def test_a_voice_that_was_asked_for_by_name_is_for_its_own_language() -> None:
    prompt = Prompt(speaking=Speaking("en-us+f3", "en", 1.5), languages=("de",))
    assert prompt.speaking_in("de") == Speaking(None, "de", 1.5)
    for usual in ("en", "en-GB", "fr", None):
        assert prompt.speaking_in(usual) == prompt.speaking
    assert Prompt(languages=("de",)).speaking_in("de") is None

"""What a box offers to others: what works, and nothing else."""

from dataclasses import replace

from airos_edge.box import open_box
from airos_edge.config import Config
from airos_edge.engines.llm import LlmSettings
from airos_edge.engines.settings import AsrSettings, TtsSettings, WakeSettings
from airos_edge.voice.ports import Place
from airos_edge.voice.waking import WordSettings


async def test_every_stage_with_its_languages_voices_and_words() -> None:
    wake = WakeSettings(words={"hey_jarvis": WordSettings(), "alexa": WordSettings()})
    async with open_box(replace(Config(), wake=wake)) as box:
        offers = box.offers()
    assert offers.asr is not None
    assert (offers.asr.name, offers.asr.languages) == ("pocketsphinx", ("en",))
    assert offers.hears_ends
    assert offers.tts is not None
    assert next(iter(offers.voices)) == "en-us"
    assert offers.voices["de"] == "de"
    assert offers.words == {"hey_jarvis": "hey jarvis", "alexa": "alexa"}
    assert offers.handle is not None


async def test_of_the_wake_words_those_that_are_heard() -> None:
    wake = WakeSettings(words={"alexa": WordSettings(), "hey_nobody": WordSettings()})
    async with open_box(replace(Config(), wake=wake)) as box:
        offers = box.offers()
    assert offers.wake is not None
    assert offers.words == {"alexa": "alexa"}


async def test_a_voice_that_is_configured_comes_first() -> None:
    async with open_box(replace(Config(), tts=TtsSettings(voice="en-gb"))) as box:
        assert next(iter(box.offers().voices.items())) == ("en-gb", "en-gb")


async def test_what_does_not_work_or_lies_beyond_reach_is_not_offered() -> None:
    config = replace(
        Config(),
        wake=WakeSettings(words={"hey_nobody": WordSettings()}),
        asr=AsrSettings(engine="tcp://192.0.2.1:10300", grammar=False),
        tts=TtsSettings(engine="tcp://192.0.2.1:10200"),
    )
    async with open_box(config) as box:
        offers = box.offers()
        assert (offers.wake, offers.asr, offers.tts) == (None, None, None)
    async with open_box(replace(config, reach=Place.EDGE)) as box:
        offers = box.offers()
        assert offers.asr is not None
        assert offers.voices == {"default": "en"}


async def test_of_the_ports_that_are_not_wanted_none_is_opened() -> None:
    async with open_box(Config(), ports=("tts",)) as box:
        offers = box.offers()
        assert (offers.asr, offers.wake, offers.hears_ends) == (None, None, False)
        assert offers.tts is not None


async def test_a_client_may_name_the_house_the_models_within_reach_and_the_engines() -> None:
    config = replace(
        Config(),
        llm={
            "fast": LlmSettings(url="http://127.0.0.1:9/v1", model="some"),
            "clever": LlmSettings(engine="anthropic", model="some"),
        },
    )
    async with open_box(config) as box:
        assert box.model_names() == ["airos", "commands", "fast", "pocketsphinx", "espeak"]
    elsewhere = AsrSettings(engine="tcp://192.0.2.1:10300", grammar=False)
    async with open_box(replace(Config(), asr=elsewhere, reach=Place.EDGE)) as box:
        assert box.model_names() == ["airos", "commands", "asr", "espeak"]
    async with open_box(replace(Config(), asr=elsewhere)) as box:
        assert box.model_names() == ["airos", "commands", "espeak"]

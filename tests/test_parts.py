"""Parts are made when they have to be, and no more often; and what a start would find."""

from dataclasses import replace
from pathlib import Path

import pytest

from airos_edge.config import Config, StateSettings
from airos_edge.engines.settings import TtsSettings, WakeSettings
from airos_edge.errors import ConfigError
from airos_edge.home.house import AreaSettings, DeviceSettings
from airos_edge.home.house import Settings as HomeSettings
from airos_edge.http.settings import Settings as ServerSettings
from airos_edge.parts import rehearse
from airos_edge.voice.waking import WordSettings
from airos_edge.wyoming.settings import Settings as WyomingSettings
from tests.engines.slow import ClosingAsr, Opener
from tests.engines.word_models import micro_word
from tests.owl import owl

ELSEWHERE = "tcp://192.0.2.1:10300"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"server": ServerSettings(host="0.0.0.0")}, r"server\.api_keys"),
        ({"wyoming": WyomingSettings(services="box")}, r"wyoming\.services: got 'box'"),
        ({"language": "e"}, "language: there are no sentences in 'e'; try"),
        ({"home": HomeSettings((), (DeviceSettings("lamp", area="attic"),))}, "attic"),
        ({"home": HomeSettings((AreaSettings("a"), AreaSettings("A")))}, r"home\.areas\[1\]"),
    ],
)
def test_what_a_start_would_refuse_is_refused(changed: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        rehearse(replace(Config(), **changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "port", "told"),
    [
        ({"wake": WakeSettings(words={"hey_foo": WordSettings()})}, "wake", "hey_foo"),
        ({"tts": TtsSettings(voice="nobody")}, "tts", "nobody"),
        ({"language": "de"}, "asr", "knows no language but en"),
        ({"wake": WakeSettings(engine=ELSEWHERE)}, "wake", "`reach` is local"),
        ({"tts": TtsSettings(engine=ELSEWHERE)}, "tts", "`reach` is local"),
    ],
)
def test_what_a_start_would_go_on_without_is_said(
    changed: dict[str, object], port: str, told: str
) -> None:
    choices = {choice.port: choice for choice in rehearse(replace(Config(), **changed))}  # type: ignore[arg-type]
    assert choices[port].engine is None  # type: ignore[index]
    assert told in choices[port].why  # type: ignore[index]
    others = [choice.engine for name, choice in choices.items() if name != port]
    assert None not in others


def test_which_wake_words_would_not_be_heard_is_said_and_who_hears_the_others(
    tmp_path: Path,
) -> None:
    words = {
        "hey_jarvis": WordSettings(),
        "hey_mum": WordSettings(model=str(micro_word(tmp_path))),
        "hey_foo": WordSettings(),
    }
    config = replace(Config(), wake=WakeSettings(words=words))
    (wake,) = (choice for choice in rehearse(config) if choice.port == "wake")
    assert wake.engine == "openwakeword"
    assert "; hey_mum by microwakeword; hey_foo is not heard: openwakeword: no wake" in wake.why


def test_a_look_at_what_a_start_would_find_loads_no_model(tmp_path: Path) -> None:
    with owl(tmp_path / "models", small=3, voice=3) as openers:
        openers |= {name: Opener(ClosingAsr("hello"), is_let=True) for name in ("small", "voice")}
        config = replace(Config(), state=StateSettings(str(tmp_path)))
        choices = {choice.port: choice.engine for choice in rehearse(config)}
        assert (choices["asr"], choices["tts"]) == ("owl", "owl")
        assert [opener.times for opener in openers.values()] == [0, 0]

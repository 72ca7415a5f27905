"""A box that hears with Whisper, and the grammar of its commands beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airos_edge.box import Box, open_box
from airos_edge.config import Config, StateSettings
from airos_edge.engines.settings import AsrSettings
from airos_edge.home.demo import demo_house
from airos_edge.home.house import DeviceSettings
from airos_edge.http.ask import ask
from tests.speech import spoken
from tests.whisper_model import hum

pytestmark = pytest.mark.real_time

HOUSE = demo_house("en")


@pytest.fixture
def config(tiny_whisper: Path, tmp_path: Path) -> Config:
    asr = AsrSettings(engine="whisper", model=str(tiny_whisper), device="cpu")
    return replace(Config(), asr=asr, home=HOUSE, state=StateSettings(str(tmp_path)))


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[Box]:
    async with open_box(config) as box:
        await box.loaded()
        yield box


async def asked(box: Box, pcm: bytes) -> dict[str, Any]:
    return (await ask(pcm, box.open_asking)).as_json()


async def test_what_whisper_hears_is_understood_and_done(config: Config) -> None:
    async with opened(replace(config, asr=replace(config.asr, grammar=False))) as box:
        answer = await asked(box, hum(2.5, before_s=0.3, after_s=0.3).pcm)
    assert answer["transcript"] == "turn on the kitchen light"
    assert (answer["intent"], answer["left"]) == ("HassTurnOn", "nothing")


async def test_the_grammar_hears_what_it_is_sure_of_and_whisper_the_rest(config: Config) -> None:
    async with opened(config) as box:
        command = spoken("turn off the kitchen light", before_ms=300, after_ms=300)
        assert (await asked(box, command.pcm))["transcript"] == "turn off the kitchen light"
        noise = hum(2.5, before_s=0.3, after_s=0.3)
        assert (await asked(box, noise.pcm))["transcript"] == "turn on the kitchen light"
        assert box.check()["engines"]["asr"]["runs_on"] == "cpu, int8"


async def test_a_house_that_changes_loads_no_model_again(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(config) as box:
        monkeypatch.setattr("faster_whisper.WhisperModel.__init__", None)  # to load one would fail
        devices = (*HOUSE.devices, DeviceSettings("lantern", "light", "kitchen"))
        await box.reload(replace(config, home=replace(HOUSE, devices=devices)))
        await box.loaded()
        command = spoken("turn on the lantern", before_ms=300, after_ms=300)
        assert (await asked(box, command.pcm))["transcript"] == "turn on the lantern"
        assert box.state()["parts"]["asr"] == {"engine": "whisper", "state": "ok"}

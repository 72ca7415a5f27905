"""A box with a voice that takes time makes its usual answers before anybody asks, and says them at once."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airos_edge.box import Box, open_box
from airos_edge.config import Config, StateSettings
from airos_edge.engines.piper_voice import LoadedVoice
from airos_edge.engines.settings import TtsSettings
from airos_edge.health import PartsRenewed
from airos_edge.home.house import AreaSettings, DeviceSettings
from airos_edge.home.house import Settings as HomeSettings
from airos_edge.models.settings import Settings as ModelsSettings
from airos_edge.usual import make_usual_answers, usual
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Speaking
from tests.model_server import LIMIT_S
from tests.phrases import NO_COMMAND
from tests.piper_model import piper_voice

ATTIC = HomeSettings(
    areas=(AreaSettings("attic"),), devices=(DeviceSettings("attic fan", "fan", "attic"),)
)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    piper_voice(tmp_path / "models")
    return Config(
        tts=TtsSettings(engine="piper"),
        models=ModelsSettings(str(tmp_path / "models")),
        state=StateSettings(str(tmp_path / "state")),
        home=ATTIC,
    )


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the model has been asked to make."""
    texts: list[str] = []
    say = LoadedVoice.say

    def noted(self: LoadedVoice, text: str, *rest: Any) -> Any:
        texts.append(text)
        return say(self, text, *rest)

    monkeypatch.setattr(LoadedVoice, "say", noted)
    return texts


async def quickly(*_: object) -> float:
    return 0.1


async def _only(text: str) -> AsyncIterator[str]:
    yield text


async def said(box: Box, text: str) -> str:
    speech = box.speak(_only(text), Speaking(language=box.language))
    return "".join([piece.text async for piece in speech])


async def test_they_are_made_once_and_then_said_without_the_model(
    config: Config, made: list[str]
) -> None:
    async with open_box(config, measure=quickly) as box:
        await box.make_ahead(usual(box))
        assert "Turned on the fan" in made
        assert NO_COMMAND in made
        made.clear()
        assert await said(box, "Turned on the fan") == "Turned on the fan"
        assert await said(box, NO_COMMAND) == NO_COMMAND
    assert made == []
    async with open_box(config, measure=quickly) as box:
        await box.make_ahead(usual(box))
    assert [text for text in made if text != "Hm."] == [], "they outlive a restart"


async def test_other_devices_and_another_voice_have_others(config: Config, made: list[str]) -> None:
    async with open_box(config, measure=quickly) as box, Scope() as scope:
        scope.start(make_usual_answers(box), "usual answers")
        await asyncio.sleep(60)
        assert "Turned on the fan" in made
        made.clear()
        lamp = DeviceSettings("attic light", "light", "attic")
        more = replace(config, home=replace(ATTIC, devices=(*ATTIC.devices, lamp)))
        with box.hub.watch(8, PartsRenewed):
            await box.reload(more)
        await asyncio.sleep(60)
        assert "Turned on the light" in made
        assert "Turned on the fan" not in made
        made.clear()
        await box.reload(replace(more, tts=TtsSettings(engine="piper", rate=1.5)))
        await asyncio.sleep(60)
        assert "Turned on the fan" in made


async def test_while_somebody_is_answered_none_is_made(config: Config, made: list[str]) -> None:
    async with open_box(config, measure=quickly) as box, Scope() as scope:
        await box.make_ahead([])
        text = "Something that nobody has said before."
        speech = box.speak(_only(text), Speaking(language="en"))
        await anext(speech)
        making = scope.start(box.make_ahead(["Yes."]), "ahead")
        await asyncio.sleep(60)
        assert "Yes." not in made
        await speech.aclose()
        await making
        assert "Yes." in made


async def test_of_a_voice_that_keeps_nothing_none_is_made(config: Config, tmp_path: Path) -> None:
    quick = replace(config, tts=TtsSettings(engine="espeak"))
    async with open_box(quick, measure=quickly) as box:
        await box.make_ahead(usual(box))
    assert not (tmp_path / "state" / "speech").exists()


async def test_a_voice_that_is_replaced_while_it_makes_them_makes_way_for_the_next(
    config: Config,
    made: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, go = asyncio.Event(), threading.Event()
    loop, say = asyncio.get_running_loop(), LoadedVoice.say

    def held(self: LoadedVoice, text: str, *rest: Any) -> Any:
        if text == "Turned on the fan" and not go.is_set():
            loop.call_soon_threadsafe(begun.set)
            go.wait(LIMIT_S)
        return say(self, text, *rest)

    monkeypatch.setattr(LoadedVoice, "say", held)
    async with open_box(config, measure=quickly) as box, Scope() as scope:
        scope.start(make_usual_answers(box), "usual answers")
        await begun.wait()
        await box.reload(replace(config, tts=TtsSettings(engine="piper", rate=1.5)))
        made.clear()
        go.set()
        await asyncio.sleep(60)
        assert {NO_COMMAND, "Turned on the fan", "Timer cancelled"} <= set(made)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]

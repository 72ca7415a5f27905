"""What sherpa-onnx's models write, as it is read."""

import pytest

from airos_edge.engines.sherpa_text import is_no_speech, language_of, tidy


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<|zh|><|HAPPY|><|Speech|><|withitn|>打开灯。", "打开灯。"),
        (" TURN ON THE LIGHT", "turn on the light"),
        ("Turn on the TV.", "Turn on the TV."),
        ("打 开 客 厅 的 灯", "打开客厅的灯"),
        ("打开 TV 的 灯", "打开 tv 的灯"),
        ("打开 Wifi 的 灯", "打开 Wifi 的灯"),
        ("二 十 五 度 ， 好 。", "二十五度，好。"),
        ("what time is it ?", "what time is it?"),
        ("20 度", "20 度"),
        ("。", ""),
        (" ... ", ""),
        ("<|nospeech|><|EMO_UNKNOWN|>", ""),
        ("", ""),
        ("안녕 하세요", "안녕 하세요"),
        ("STRASSE", "strasse"),
    ],
)
def test_text_is_without_tags_capitals_and_spaces_that_are_none(written: str, read: str) -> None:
    assert tidy(written) == read


@pytest.mark.parametrize(
    ("told", "language"),
    [("<|zh|>", "zh"), ("<|yue|>", "yue"), ("EN", "en"), ("", None), ("<|nospeech|>", None)],
)
def test_a_language_is_told_by_its_tag(told: str, language: str | None) -> None:
    assert language_of(told) == language


def test_that_nobody_spoke_is_told_by_a_tag() -> None:
    assert is_no_speech("<|nospeech|>")
    assert not is_no_speech("<|zh|>")

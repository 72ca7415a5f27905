"""A language by any of the tags that it goes by."""

import pytest

from airos_edge.voice.tags import is_same, nearest

HOME_ASSISTANT = ["de", "de-CH", "en", "he", "nb", "pt", "pt-BR", "zh-CN", "zh-HK", "zh-TW"]
ESPEAK = ["cmn", "de", "en-us", "nb", "pt", "pt-br", "yue", "zh"]


@pytest.mark.parametrize(
    ("language", "known", "tag"),
    [
        ("de", HOME_ASSISTANT, "de"),
        ("de-AT", HOME_ASSISTANT, "de"),
        ("de_CH", HOME_ASSISTANT, "de-CH"),
        ("DE", HOME_ASSISTANT, "de"),
        ("en-GB", HOME_ASSISTANT, "en"),
        ("zh", HOME_ASSISTANT, "zh-CN"),
        ("zh-Hans-CN", HOME_ASSISTANT, "zh-CN"),
        ("cmn", HOME_ASSISTANT, "zh-CN"),
        ("zh-Hant", HOME_ASSISTANT, "zh-TW"),
        ("yue", HOME_ASSISTANT, "zh-HK"),
        ("no", HOME_ASSISTANT, "nb"),
        ("iw", HOME_ASSISTANT, "he"),
        ("pt-br", HOME_ASSISTANT, "pt-BR"),
        ("pt-PT", HOME_ASSISTANT, "pt"),
        ("tlh", HOME_ASSISTANT, None),
        ("", HOME_ASSISTANT, None),
        ("zh-HK", ESPEAK, "yue"),
        ("zh-CN", ESPEAK, "zh"),
        ("de-AT", ESPEAK, "de"),
    ],
)
def test_the_nearest_of_those_that_are_known(
    language: str, known: list[str], tag: str | None
) -> None:
    assert nearest(language, known) == tag


def test_a_dialect_is_the_same_language() -> None:
    assert is_same("de", "de-AT")
    assert is_same("de-AT", "de")
    assert is_same("zh", "zh-CN")
    assert not is_same("de", "en")
    assert not is_same("zh-HK", "zh-CN")

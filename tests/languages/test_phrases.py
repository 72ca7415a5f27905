"""Every language says all that the box says, and knows how it is answered."""

import string
from collections.abc import Iterator
from typing import Any

import pytest

from airos_edge.home.demo import demo_house
from airos_edge.home.house import House, VirtualDevices
from airos_edge.languages.phrases import NAMES, contents, languages, phrases, says_all
from airos_edge.router.wording import plain

OTHERS = [tag for tag in languages() if tag != "en"]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        for each in value:
            yield from texts(each)


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_languages_of_the_issue_are_there() -> None:
    assert set(languages()) >= {"en", "de", "fr", "es", "it", "nl", "pt", "zh"}


@pytest.mark.parametrize("tag", languages())
def test_a_language_has_every_phrase_with_the_same_places_to_fill(tag: str) -> None:
    says, english = contents(tag)["says"], contents("en")["says"]
    assert set(says) == set(NAMES)
    for name, original in english.items():
        assert isinstance(says[name], type(original)), name
        assert all(text.strip() for text in texts(says[name])), name
        if isinstance(original, str):
            assert places(says[name]) == places(original), name


@pytest.mark.parametrize("tag", OTHERS)
def test_nothing_was_left_in_english(tag: str) -> None:
    says, english = contents(tag)["says"], contents("en")["says"]
    same = {name for name in english if says[name] == english[name]}
    assert same <= {"labelled", "whether"}


@pytest.mark.parametrize("tag", languages())
def test_an_answer_means_one_thing(tag: str) -> None:
    says = phrases(tag)
    yes = {plain(text) for text in (*says.yes, *says.agreed)}
    no = {plain(text) for text in (*says.no, *says.refused)}
    which = [plain(text) for place in says.places for text in place]
    assert all([*yes, *no, *which]), "each has a word in it"
    assert not yes & no
    assert len(says.places) == 3
    assert len(set(which)) == len(which)


@pytest.mark.parametrize("tag", languages())
def test_a_question_for_a_yes_begins_as_no_other_does(tag: str) -> None:
    """By its beginning it is known again, when more of it was not heard."""
    assert plain(phrases(tag).ask.partition("{what}")[0])


@pytest.mark.parametrize("tag", languages())
def test_the_demonstration_house_has_names_of_the_language(tag: str) -> None:
    settings, english = demo_house(tag), demo_house("en")
    House(settings, VirtualDevices(), lambda event: None)  # it refuses names that sound alike
    kinds = [(device.domain, device.area is not None) for device in settings.devices]
    assert kinds == [(device.domain, device.area is not None) for device in english.devices]


def test_a_language_is_found_by_any_of_its_tags() -> None:
    assert phrases("de-AT") is not phrases("en")
    assert phrases("de-AT").ask == phrases("de_DE").ask == phrases("de").ask
    assert phrases("zh-CN").ask == phrases("zh").ask != phrases("zh-HK").ask
    assert phrases("zh-HK").ask == phrases("zh-Hant").ask == phrases("zh-TW").ask
    assert phrases("pt-BR").ask == phrases("pt").ask


def test_a_language_without_a_file_has_what_home_assistant_says_and_english() -> None:
    swedish = phrases("sv")
    assert not says_all("sv")
    assert "förstår" in swedish.no_command
    assert (swedish.language, swedish.timer_over) == ("sv", phrases("en").timer_over)
    assert phrases("tlh").no_command == phrases("en").no_command


def test_names_are_listed() -> None:
    assert phrases("de").names(["Lampe"]) == "Lampe"
    assert phrases("de").names(["A", "B", "C"]) == "A, B und C"
    assert phrases("zh").names(["台灯", "吊灯"]) == "台灯和吊灯"

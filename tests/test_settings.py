"""How YAML becomes settings, and how each mistake is told."""

from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Literal

import pytest

from airos_edge import settings
from airos_edge.errors import ConfigError
from airos_edge.limits import Range
from airos_edge.secret import Secret


class Colour(IntEnum):
    RED = 1
    BLUE = 2


@dataclass(frozen=True)
class Lamp:
    name: str
    watts: Annotated[float, Range(0, 100)] = 5.0


@dataclass(frozen=True)
class Shade:
    opacity: Annotated[float, Range(0, 1)] = 1.0


@dataclass(frozen=True)
class Room:
    port: Annotated[int, Range(1, 10)] = 5
    mode: Literal["day", "night"] = "day"
    colour: Colour = Colour.RED
    note: str | None = None
    open: bool = False
    lamps: tuple[Lamp, ...] = ()
    named: dict[str, Lamp] = field(default_factory=dict)
    shades: dict[str, Shade] = field(default_factory=dict)
    key: Secret | None = None
    ask: tuple[str, ...] | Literal["never", "always"] = "never"
    programs: dict[str, Lamp] = field(default_factory=dict, metadata=settings.FILE_ONLY)


def read(text: str, **environ: str) -> Room:
    return settings.read(Room, text, "room.yaml", environ)


def problems(text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text, **environ)
    return str(caught.value).splitlines()


def test_every_kind_of_value_is_read() -> None:
    room = read(
        "port: 3\nmode: night\ncolour: blue\nnote: hello\nopen: true\n"
        "lamps:\n  - name: a\n    watts: 7\nnamed:\n  x: {name: b}\n"
    )
    assert room == Room(3, "night", Colour.BLUE, "hello", True, (Lamp("a", 7.0),), {"x": Lamp("b")})
    assert settings.plain(room)["colour"] == "blue"


def test_names_in_a_list_are_a_mapping_in_which_each_has_its_defaults() -> None:
    assert read("shades: [a, b]") == read("shades: {a: {}, b: {}}")
    assert read("shades: [a]").shades == {"a": Shade()}
    assert read("", AIROS_SHADES="[a]").shades == {"a": Shade()}
    dimmed = read("shades: [a, b]", AIROS_SHADES__B__OPACITY="0.5").shades
    assert dimmed == {"a": Shade(), "b": Shade(0.5)}


def test_a_list_or_a_word() -> None:
    assert read("ask: always").ask == "always"
    assert read("ask: [a, b]").ask == ("a", "b")
    assert read("", AIROS_ASK="[a]").ask == ("a",)


def test_nothing_gives_the_defaults() -> None:
    assert read("") == read("# only a comment\n") == Room()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("prot: 3", "room.yaml:1:1: prot: is unknown; try port"),
        ("port: 11", "room.yaml:1:7: port: got 11, wants 1 to 10"),
        ("port: '3'", "room.yaml:1:7: port: got '3', wants a whole number"),
        ("port: 3.5", "room.yaml:1:7: port: got '3.5', wants a whole number"),
        ("port: true", "room.yaml:1:7: port: got 'true', wants a whole number"),
        ("mode: noon", "room.yaml:1:7: mode: got 'noon', wants day or night"),
        ("colour: green", "room.yaml:1:9: colour: got 'green', wants red or blue"),
        ("open: 1", "room.yaml:1:7: open: got '1', wants true or false"),
        ("ask: perhaps", "room.yaml:1:6: ask: got 'perhaps', wants never or always"),
        ("ask: [1]", "room.yaml:1:7: ask[0]: got '1', wants text"),
        ("lamps: 1", "room.yaml:1:8: lamps: got '1', wants a list"),
        (
            "shades: a",
            "room.yaml:1:9: shades: got 'a', wants a list of names or a mapping (name: …)",
        ),
        ("shades: [a, a]", "room.yaml:1:13: shades.a: is given twice"),
        (
            "shades: [[a]]",
            "room.yaml:1:9: shades: got a list, wants a list of names or a mapping (name: …)",
        ),
        ("shades: {a: {opacity: 2}}", "room.yaml:1:23: shades.a.opacity: got 2.0, wants 0 to 1"),
        ("shades: {a: {opaque: 1}}", "room.yaml:1:14: shades.a.opaque: is unknown; try opacity"),
        ("named: [a]", "room.yaml:1:9: named.a.name: is missing"),
        ("lamps:\n- {watts: 1}", "room.yaml:2:3: lamps[0].name: is missing"),
        ("lamps:\n- name: a\n  wats: 1", "room.yaml:3:3: lamps[0].wats: is unknown; try watts"),
        ("[1, 2]", "room.yaml:1:1: the file: got a list, wants a mapping (key: value)"),
        ("port: 3\nport: 4", "room.yaml:2:1: port: is given twice"),
        ("note: ${NOWHERE}", "room.yaml:1:7: note: ${NOWHERE} is not set, and has no default"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_its_mend(text: str, problem: str) -> None:
    assert problems(text) == [problem]


def test_all_mistakes_are_told_at_once() -> None:
    assert len(problems("port: 99\nmode: noon\nopen: maybe\n")) == 3


def test_what_is_no_yaml_is_told_with_line_and_column() -> None:
    (problem,) = problems("port: 3\n  mode: [\n")
    assert problem.startswith("room.yaml:2:")
    assert "not YAML" in problem


def test_variables_are_expanded_before_they_are_typed() -> None:
    assert read("port: ${PORT:-4}").port == 4
    assert read("port: ${PORT:-4}", PORT="6").port == 6
    assert read("note: 'at ${PORT:-4}'").note == "at 4"


def test_the_environment_sets_what_the_file_does_not() -> None:
    assert read("open: true", AIROS_PORT="2") == Room(port=2, open=True)
    assert read("named: {x: {name: b}}", AIROS_NAMED__X__WATTS="9").named["x"] == Lamp("b", 9.0)


def test_a_mistake_in_the_environment_names_the_variable() -> None:
    assert problems("", AIROS_PORT="99") == ["$AIROS_PORT: port: got 99, wants 1 to 10"]
    assert problems("", AIROS_PROT="9") == ["$AIROS_PROT: there is no such option; try AIROS_PORT"]


def test_one_underscore_where_two_are_wanted_is_told() -> None:
    (problem,) = problems("", AIROS_NAMED_X="a")
    assert problem == "$AIROS_NAMED_X: there is no such option; try AIROS_NAMED__X"


def test_what_is_given_twice_stays_so_whatever_the_environment_adds() -> None:
    text = "named: {x: {name: a}}\nnamed: {y: {name: b}}"
    assert problems(text, AIROS_NAMED__X__WATTS="9") == ["room.yaml:2:1: named: is given twice"]


def test_what_is_for_the_file_alone_the_environment_does_not_set() -> None:
    assert read("programs: {x: {name: b}}").programs["x"] == Lamp("b")
    for name in ("AIROS_PROGRAMS", "AIROS_PROGRAMS__X__NAME"):
        assert problems("", **{name: "{x: {name: b}}"}) == [
            f"${name}: programs is set in the file only"
        ]


# ---- secrets ------------------------------------------------------------------------------------


def test_a_secret_is_where_it_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    for text, environ in (
        ("env:MY_KEY", {"MY_KEY": "s3cret\n"}),
        (f"file:{tmp_path}/key", {}),
        ("credential:key", {"CREDENTIALS_DIRECTORY": str(tmp_path)}),
    ):
        room = read(f"key: {text}", **environ)
        assert room.key is not None
        assert room.key.value == "s3cret"
        assert settings.plain(room)["key"] == text


def test_a_secret_is_never_shown() -> None:
    room = read("key: s3cret")
    assert room.key == Secret("s3cret")
    assert settings.plain(room)["key"] == "***"
    assert "s3cret" not in repr(room)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("key: env:MISSING", "room.yaml:1:6: key: env:MISSING is not set"),
        ("key: file:/missing", "room.yaml:1:6: key: file:/missing cannot be read: No such file"),
        ("key: credential:missing", "only a service has credentials (LoadCredential=)"),
        ("key: 12345678", "room.yaml:1:6: key: wants text, in quotes"),
        ("key: ''", "is empty"),
    ],
)
def test_a_secret_that_is_not_there_is_told_without_its_value(text: str, problem: str) -> None:
    (told,) = problems(text)
    assert problem in told
    assert "12345678" not in told

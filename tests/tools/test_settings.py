"""The `tools` section: what may be written there, what it means, and what it does not."""

from pathlib import Path

import pytest

from airos_edge.config import effective, load
from airos_edge.errors import ConfigError
from airos_edge.secret import NO_KEY, Secret
from airos_edge.tools.settings import ToolServerSettings, refuse_unclear
from airos_edge.voice.ports import Place

WRITTEN = """
tools:
  files:
    command: npx
    args: [-y, files]
    env: {TOKEN: "env:FILES_TOKEN"}
    allow: [read_file]
    approval: [write_file]
  home: {url: "http://homeassistant.local:8123/api/mcp", api_key: abc, allow: ["*"], approval: always}
"""


def test_a_section_is_read_and_its_secrets_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(WRITTEN)
    config = load(tmp_path / "config.yaml", {"FILES_TOKEN": "secret"})
    files, home = config.tools["files"], config.tools["home"]
    assert (files.command, files.args, files.env["TOKEN"].value) == (
        "npx",
        ("-y", "files"),
        "secret",
    )
    assert (files.approval, home.approval) == (("write_file",), "always")
    shown = effective(config)["tools"]
    assert (shown["files"]["env"], shown["home"]["api_key"]) == (
        {"TOKEN": "env:FILES_TOKEN"},
        "***",
    )


@pytest.mark.parametrize("name", ["AIROS_TOOLS", "AIROS_TOOLS__FILES__COMMAND"])
def test_no_environment_variable_can_make_the_box_run_a_program(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, {name: "{files: {command: sh}}"})
    assert str(caught.value) == f"${name}: tools is set in the file only"


def test_nothing_is_allowed_that_is_not_named() -> None:
    assert not ToolServerSettings("npx").allows("read_file")
    assert ToolServerSettings("npx", allow=("read_file",)).allows("read_file")
    assert not ToolServerSettings("npx", allow=("read_file",)).allows("write_file")
    assert ToolServerSettings("npx", allow=("*",)).allows("write_file")


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        (ToolServerSettings("npx"), Place.LOCAL),
        (ToolServerSettings("npx", place=Place.CLOUD), Place.CLOUD),
        (ToolServerSettings(url="http://127.0.0.1:80/mcp"), Place.LOCAL),
        (ToolServerSettings(url="http://homeassistant.local/mcp"), Place.EDGE),
        (ToolServerSettings(url="https://example.com/mcp"), Place.CLOUD),
        (ToolServerSettings(url="https://nas.example.com/mcp", place=Place.EDGE), Place.EDGE),
    ],
)
def test_it_is_where_its_address_is_unless_the_owner_knows_better(
    settings: ToolServerSettings, place: Place
) -> None:
    assert settings.where is place


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (ToolServerSettings(), "tools.files: wants a command or a url, and not both"),
        (ToolServerSettings("npx", url="http://a"), "tools.files: wants a command or a url"),
        (ToolServerSettings(url="a:80"), "tools.files.url: got 'a:80', wants http:// or https://"),
        (ToolServerSettings(url="http://a", api_key=Secret("a\nb")), f"files.api_key: {NO_KEY}"),
        (
            ToolServerSettings(url="http://a", headers={"X-Key": Secret("a\nb")}),
            f"files.headers.X-Key: {NO_KEY}",
        ),
    ],
)
def test_what_no_server_could_be_reached_by_is_refused(
    settings: ToolServerSettings, problem: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_unclear({"files": settings})
    assert problem in str(caught.value)


def test_no_server_is_called_as_the_house_is() -> None:
    with pytest.raises(ConfigError, match="airos: that is the house"):
        refuse_unclear({"airos": ToolServerSettings("npx")})

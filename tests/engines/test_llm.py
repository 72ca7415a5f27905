"""Models of the configuration: which they are, where they are, and what is refused."""

from pathlib import Path

import pytest

from airos_edge import config
from airos_edge.engines.llm import ENGINES, LlmSettings, address, open_llm, place, refuse_impossible
from airos_edge.errors import ConfigError
from airos_edge.secret import NO_KEY, Secret
from airos_edge.voice.ports import Place


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        (LlmSettings(url="http://127.0.0.1:8080/v1"), Place.LOCAL),
        (LlmSettings(url="http://nas.local:11434/v1"), Place.EDGE),
        (LlmSettings(), Place.CLOUD),
        (LlmSettings(engine="anthropic"), Place.CLOUD),
        (LlmSettings(url="http://127.0.0.1:8080/v1", place=Place.CLOUD), Place.CLOUD),
        (LlmSettings("llama"), Place.LOCAL),
    ],
)
def test_a_model_is_where_its_address_is_unless_the_owner_says_otherwise(
    settings: LlmSettings, where: Place
) -> None:
    assert place(settings) is where


@pytest.mark.parametrize(
    "engine", [name for name, engine in ENGINES.items() if not engine.runs_here]
)
async def test_every_engine_opens_without_asking_anybody(engine: str) -> None:
    settings = LlmSettings(engine, "http://127.0.0.1:9/v1", "tiny")
    refuse_impossible({"fast": settings})
    model = open_llm("fast", settings)
    assert (model.name, model.place) == ("fast", Place.LOCAL)
    if hasattr(model, "aclose"):
        await model.aclose()


def test_who_gives_no_address_means_the_makers() -> None:
    assert address(LlmSettings("anthropic")) == "https://api.anthropic.com/v1"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (LlmSettings("opnai", model="m"), r"llm\.fast\.engine: there is no 'opnai'; try openai"),
        (LlmSettings("x", model="m"), "try openai or anthropic"),
        (LlmSettings(), r"llm\.fast\.model: is missing"),
        (LlmSettings(url="localhost:8080", model="m"), r"llm\.fast\.url: got 'localhost:8080'"),
        (LlmSettings(url="http://host:port", model="m"), "wants http://host:port/v1"),
        (LlmSettings(url="http://[::1", model="m"), "wants http"),
        (LlmSettings("llama"), r"llm\.fast\.model: is missing: the name of a model on this box"),
        (LlmSettings("llama", "http://a/v1", "m"), r"llm\.fast\.url: is not for engine llama"),
        (LlmSettings("llama", model="m", sees=True), r"llm\.fast\.sees: is not for"),
        (LlmSettings("llama", model="m", place=Place.CLOUD), r"llm\.fast\.place: .* is local"),
    ],
)
def test_what_no_engine_could_use_is_refused(settings: LlmSettings, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        refuse_impossible({"fast": settings})


@pytest.mark.parametrize("key", ["sk-1\nsk-2", "sk-\u2019abc", "sk-\0"])
def test_a_key_that_http_cannot_send_is_refused_and_not_shown(key: str) -> None:
    settings = LlmSettings(model="tiny", api_key=Secret(key))
    with pytest.raises(ConfigError) as caught:
        refuse_impossible({"fast": settings})
    assert str(caught.value) == f"llm.fast.api_key: {NO_KEY}"


def test_models_are_read_from_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "llm: {fast: {url: 'http://a:1/v1', model: m, api_key: 'env:KEY', place: cloud,"
        " temperature: 0.5}}\nrouter: {tiers: [commands, fast]}\n"
    )
    read = config.load(file, {"KEY": "sk", "AIROS_LLM__FAST__MAX_TOKENS": "20"})
    settings = read.llm["fast"]
    assert settings.api_key is not None
    assert settings.api_key.value == "sk"
    assert (settings.place, settings.max_tokens, settings.temperature) == (Place.CLOUD, 20, 0.5)
    assert config.effective(read)["llm"]["fast"]["api_key"] == "env:KEY"

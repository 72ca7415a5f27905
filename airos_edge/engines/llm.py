"""Which kinds of models there are, and how those of the configuration are opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Annotated, Any
from urllib.parse import urlsplit

from airos_edge.errors import ConfigError
from airos_edge.limits import Range
from airos_edge.network import place_of_url
from airos_edge.secret import NO_KEY, Secret
from airos_edge.voice.ports import Place, Responder


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """A model, of those in the `llm` section. `place` None: where its address says."""

    engine: str = "openai"
    url: str | None = None
    """None: that of the engine's maker."""
    model: str = ""
    place: Place | None = None
    api_key: Secret | None = None
    temperature: Annotated[float | None, Range(0, 2)] = None
    """None: the server's own."""
    max_tokens: Annotated[int, Range(1, 100_000)] = 1000
    context_tokens: Annotated[int, Range(512, 2_000_000)] = 32_768
    """How much its server lets it read and write. The oldest of a longer conversation is left out."""
    sees: bool = False
    """Whether pictures can be shown to it."""
    first_token_s: Annotated[float, Range(0.1, 15)] = 10.0
    """How long its answer may be waited for before the next tier is asked."""

    def limit(self, wanted: int | None) -> int:
        """How many tokens an answer may have of which so many are wanted."""
        return self.max_tokens if wanted is None else min(wanted, self.max_tokens)

    @property
    def reads_tokens(self) -> int:
        """What the longest answer leaves of it, at least half."""
        return max(self.context_tokens // 2, self.context_tokens - self.max_tokens)


@dataclass(frozen=True, slots=True)
class Engine:
    """A line of the table. `opened_by`: file and function, which takes the name, the address, the place,
    and, of a model, the settings; it gives a Responder."""

    opened_by: str
    url: str | None = None
    """Where its maker serves it."""
    is_model: bool = True
    """Of those that its server has, it is to be told which; and it may call tools."""


ENGINES: Mapping[str, Engine] = {
    "openai": Engine("llm_openai.open_llm", "https://api.openai.com/v1"),
    "anthropic": Engine("llm_anthropic.open_llm", "https://api.anthropic.com/v1"),
    "wyoming": Engine("responder_wyoming.open_responder", is_model=False),
}


def address(settings: LlmSettings) -> str:
    return settings.url or ENGINES[settings.engine].url or ""


def place(settings: LlmSettings) -> Place:
    return place_of_url(address(settings)) if settings.place is None else settings.place


def open_llm(name: str, settings: LlmSettings) -> Responder:
    """Sends nothing: a model that is not there is found out when it is asked. Raises EngineUnavailable."""
    file, _, function = ENGINES[settings.engine].opened_by.partition(".")
    opened_by: Any = getattr(import_module(f"airos_edge.engines.{file}"), function)
    told = (settings,) if ENGINES[settings.engine].is_model else ()
    responder: Responder = opened_by(name, address(settings), place(settings), *told)
    return responder


def refuse_impossible(models: Mapping[str, LlmSettings]) -> None:
    """Raises ConfigError for what no engine could make anything of."""
    for name, settings in models.items():
        path = f"llm.{name}"
        engine = ENGINES.get(settings.engine)
        if engine is None:
            near = get_close_matches(settings.engine, ENGINES, n=1) or list(ENGINES)
            known = " or ".join(near)
            raise ConfigError(f"{path}.engine: there is no {settings.engine!r}; try {known}")
        if engine.is_model and not settings.model:
            raise ConfigError(f"{path}.model: is missing: the name that its server knows it by")
        url = address(settings)
        if not url:
            raise ConfigError(f"{path}.url: is missing")
        if engine.is_model and not _is_http(url):
            raise ConfigError(f"{path}.url: got {url!r}, wants http://host:port/v1 or https://…")
        if settings.api_key and not settings.api_key.fits_a_header:
            raise ConfigError(f"{path}.api_key: {NO_KEY}")


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)

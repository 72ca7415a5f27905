"""Which kinds of models there are, and how those of the configuration are opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Annotated, Any
from urllib.parse import urlsplit

from airos_edge.engines.llama_file import file_of
from airos_edge.errors import ConfigError, EngineUnavailable
from airos_edge.limits import Range
from airos_edge.models.stored import StoredModel
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
    context_tokens: Annotated[int | None, Range(512, 2_000_000)] = None
    """How much it can read and write; None: what its engine lets it. The oldest of a longer conversation is
    left out. A model that runs here takes memory for all of it."""
    sees: bool = False
    """Whether pictures can be shown to it."""
    first_token_s: Annotated[float, Range(0.1, 15)] = 10.0
    """How long its answer may be waited for before the next tier is asked."""

    threads: Annotated[int | None, Range(1, 256)] = None
    """Of a model that runs here; None: one for each core."""
    gpu_layers: Annotated[int | None, Range(0, 1000)] = None
    """How much of a model that runs here is on a GPU, if there is one; None: as much as fits."""

    def limit(self, wanted: int | None) -> int:
        """How many tokens an answer may have of which so many are wanted."""
        return self.max_tokens if wanted is None else min(wanted, self.max_tokens)

    @property
    def reads_tokens(self) -> int:
        """What the longest answer leaves of it, at least half."""
        return max(self.context // 2, self.context - self.max_tokens)

    @property
    def context(self) -> int:
        return self.context_tokens or ENGINES[self.engine].context_tokens


@dataclass(frozen=True, slots=True)
class Engine:
    """A line of the table. `opened_by`: file and function, which takes the name, the address, the place,
    and, of a model, the settings; it gives a Responder."""

    opened_by: str
    url: str | None = None
    """Where its maker serves it."""
    is_model: bool = True
    """Of those that its server has, it is to be told which; and it may call tools."""
    runs_here: bool = False
    """In a program of ours: there is no address, and the models are those that are stored."""
    context_tokens: int = 32_768
    """What is taken for the size of its context if nobody says."""


ENGINES: Mapping[str, Engine] = {
    "openai": Engine("llm_openai.open_llm", "https://api.openai.com/v1"),
    "anthropic": Engine("llm_anthropic.open_llm", "https://api.anthropic.com/v1"),
    "llama": Engine("llm_llama.open_llm", "", runs_here=True, context_tokens=8192),
    "wyoming": Engine("responder_wyoming.open_responder", is_model=False),
}


def address(settings: LlmSettings) -> str:
    return settings.url or ENGINES[settings.engine].url or ""


def place(settings: LlmSettings) -> Place:
    if ENGINES[settings.engine].runs_here:
        return Place.LOCAL
    return place_of_url(address(settings)) if settings.place is None else settings.place


def open_llm(name: str, settings: LlmSettings, stored: Sequence[StoredModel] = ()) -> Responder:
    """Sends and loads nothing: a model that is not there is found out when it is asked, if it is not one of
    those that are `stored` on this box. One that has a `begin` can be loaded before. Raises EngineUnavailable.
    """
    engine = ENGINES[settings.engine]
    file, _, function = engine.opened_by.partition(".")
    opened_by: Any = getattr(import_module(f"airos_edge.engines.{file}"), function)
    responder: Responder
    if engine.runs_here:
        responder = opened_by(name, settings, stored)
    else:
        told = (settings,) if engine.is_model else ()
        responder = opened_by(name, address(settings), place(settings), *told)
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
        if engine.runs_here:
            _refuse_here(path, settings)
            continue
        if engine.is_model and not settings.model:
            raise ConfigError(f"{path}.model: is missing: the name that its server knows it by")
        url = address(settings)
        if not url:
            raise ConfigError(f"{path}.url: is missing")
        if engine.is_model and not _is_http(url):
            raise ConfigError(f"{path}.url: got {url!r}, wants http://host:port/v1 or https://…")
        if settings.api_key and not settings.api_key.fits_a_header:
            raise ConfigError(f"{path}.api_key: {NO_KEY}")


def absent(models: Mapping[str, LlmSettings], stored: Sequence[StoredModel]) -> Mapping[str, str]:
    """Of those that run here, why one cannot be opened: its file is not there, or is something else."""
    why: dict[str, str] = {}
    for name, settings in models.items():
        if ENGINES[settings.engine].runs_here:
            try:
                file_of(name, settings.model, stored)
            except EngineUnavailable as error:
                why[name] = str(error).removeprefix(f"{name}: ")
    return why


def _refuse_here(path: str, settings: LlmSettings) -> None:
    """Raises ConfigError for what a model that runs here has not."""
    if not settings.model:
        raise ConfigError(f"{path}.model: is missing: the name of a model on this box, or a path")
    for option in ("url", "api_key", "sees"):
        if getattr(settings, option):
            raise ConfigError(f"{path}.{option}: is not for engine {settings.engine}")
    if settings.place not in (None, Place.LOCAL):
        raise ConfigError(f"{path}.place: a model of engine {settings.engine} is local")


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)

"""The configuration: one YAML file, its options, and where it is looked for."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from airos_edge import settings
from airos_edge.announce.settings import Settings as MdnsSettings
from airos_edge.engines.llm import LlmSettings
from airos_edge.engines.settings import AsrSettings, TtsSettings, VadSettings, WakeSettings
from airos_edge.errors import ConfigError
from airos_edge.home.house import Settings as HomeSettings
from airos_edge.http.settings import Settings as ServerSettings
from airos_edge.local.settings import Settings as SatelliteSettings
from airos_edge.models.settings import Settings as ModelsSettings
from airos_edge.mqtt.settings import Settings as MqttSettings
from airos_edge.router.assistant import Settings as AssistantSettings
from airos_edge.router.router import Settings as RouterSettings
from airos_edge.tools.settings import Settings as ToolSettings
from airos_edge.voice.endpoint import Settings as TurnSettings
from airos_edge.voice.ports import Place
from airos_edge.wyoming.settings import Settings as WyomingSettings

PLACES = ("config.yaml", "~/.config/airos/config.yaml", "/etc/airos/config.yaml")
"""Where the file is looked for, after --config and $AIROS_CONFIG. The first one wins."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    level: Literal["debug", "info", "warning", "error"] = "info"


@dataclass(frozen=True, slots=True)
class StateSettings:
    directory: str | None = None
    """Where what must outlive a restart is kept; None: see `paths.state_directory`."""


@dataclass(frozen=True, slots=True)
class Config:
    """Every section; each is defined beside the part that it configures."""

    name: str = "Airos"
    language: str = "en"
    languages: tuple[str, ...] = ()
    """Others that are spoken in this house, beside `language`."""
    reach: Place = Place.LOCAL
    server: ServerSettings = field(default_factory=ServerSettings)
    wake: WakeSettings = field(default_factory=WakeSettings)
    vad: VadSettings = field(default_factory=VadSettings)
    turn: TurnSettings = field(default_factory=TurnSettings)
    asr: AsrSettings = field(default_factory=AsrSettings)
    tts: TtsSettings = field(default_factory=TtsSettings)
    router: RouterSettings = field(default_factory=RouterSettings)
    llm: Mapping[str, LlmSettings] = field(default_factory=dict)
    assistant: AssistantSettings = field(default_factory=AssistantSettings)
    wyoming: WyomingSettings = field(default_factory=WyomingSettings)
    tools: ToolSettings = field(default_factory=dict, metadata=settings.FILE_ONLY)
    satellite: SatelliteSettings = field(default_factory=SatelliteSettings)
    home: HomeSettings = field(default_factory=HomeSettings)
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    mdns: MdnsSettings = field(default_factory=MdnsSettings)
    models: ModelsSettings = field(default_factory=ModelsSettings)
    state: StateSettings = field(default_factory=StateSettings)
    log: LogSettings = field(default_factory=LogSettings)


def find(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The file to read; None if there is none, which is a valid configuration."""
    if path is not None:
        return path
    if environ.get("AIROS_CONFIG"):
        return Path(environ["AIROS_CONFIG"])
    places = (Path(os.path.expanduser(place)) for place in PLACES)
    return next((place for place in places if place.is_file()), None)


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration in force: the environment before the file before the defaults.

    Raises ConfigError, which names every problem with file, line and column.
    """
    found = find(path, environ)
    if found is None:
        return settings.read(Config, "", "the defaults", environ)
    try:
        text = found.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{found}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{found}: is not UTF-8 text (byte {error.start})") from error
    return settings.read(Config, text, str(found), environ)


def effective(config: Config) -> dict[str, Any]:
    """What `airos check` shows."""
    return dict(settings.plain(config))

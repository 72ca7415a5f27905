"""What is told of the parts of a box: by `airos check` what they are, by `/healthz` how they are."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from airos_edge.config import Config, effective
from airos_edge.engines import llm
from airos_edge.engines.choosing import Choice, named
from airos_edge.health import WELL, Health
from airos_edge.network import shown
from airos_edge.parts import Parts


def described(parts: Parts) -> dict[str, Any]:
    """The options, the engines or why there is none, the models, the devices of the house."""
    return {
        "config": effective(parts.config),
        "engines": {choice.port: _engine(choice, parts) for choice in parts.choices},
        "languages": {one.language: one.told for one in parts.fluencies},
        "models": models_of(parts.config),
        "devices": [device.name for device in parts.house.settings.devices],
        "demo": parts.house.is_demo,
    }


def _engine(choice: Choice, parts: Parts) -> dict[str, Any]:
    """Of several, the best that has not failed, which serves or will when it is loaded."""
    order = parts.opened.in_order(choice.port)
    if choice.port in parts.faults:
        return {"engine": None, "why": parts.faults[choice.port]}
    if order is None:
        return told_of(choice)
    if order.is_lost:
        return {"engine": None, "why": str(order.unavailable())}
    wanted = order.wanted
    better = [part.why for part in order.parts[: order.parts.index(wanted)] if part.why]
    told = told_of(replace(wanted.choice, why="; ".join([wanted.choice.why, *better])))
    if wanted.runs_on:
        told["runs_on"] = wanted.runs_on
    return told


def told_of(choice: Choice) -> dict[str, Any]:
    """The engine, why, and its model where it runs one."""
    told: dict[str, Any] = {"engine": choice.engine, "why": choice.why}
    return told | {"model": choice.model.name} if choice.model else told


def serving(parts: Parts) -> Mapping[str, tuple[str, object]]:
    """What each part is, by its name in `state_of`, and what was made for it: another one where it is made of
    other models than before."""
    opened = parts.opened
    streams = {"wake": opened.open_wake, "vad": opened.open_vad}
    told: dict[str, tuple[str, object]] = {}
    for choice in parts.choices:
        order = opened.in_order(choice.port)
        made = order.parts[0] if order else streams.get(choice.port)
        told[choice.port] = named(choice) if made else f"none: {parts.faults[choice.port]}", made
    for name, settings in parts.config.llm.items():
        tier = parts.models.get(name)
        told[f"llm {name}"] = settings.model if tier else "none: it cannot be opened", tier
    return told


def models_of(config: Config, absent: Mapping[str, str] = {}) -> Mapping[str, str]:
    """What is known of each model without asking it, as a sentence. `absent`: why one is not there."""
    told = {}
    for name, settings in config.llm.items():
        place = llm.place(settings)
        address = shown(llm.address(settings))
        where = f"at {address}" if address else "run by llama.cpp on this box"
        told[name] = f"{settings.model or settings.engine} {where} ({place.name.lower()})"
        if name in absent:
            told[name] += f", cannot be opened: {absent[name]}"
        elif place > config.reach:
            told[name] += f", never asked: `reach` is {config.reach.name.lower()}"
        elif name not in config.router.tiers:
            told[name] += ", asked by its name only: it is not in router.tiers"
    return told


def state_of(parts: Parts, health: Health) -> dict[str, Any]:
    """Of every part; `status` is "ok" while everything works."""
    told: dict[str, Any] = {}
    for choice in parts.choices:
        fault = parts.faults.get(choice.port)
        told[choice.port] = {"engine": choice.engine, "state": "failed" if fault else "ok"}
        if fault:
            told[choice.port]["why"] = fault
    ports = {choice.port for choice in parts.choices}
    missing = {name: why for name, why in parts.faults.items() if name not in ports}
    told |= {name: {"state": "failed", "why": why} for name, why in missing.items()}
    for name, part in health.parts().items():
        told[name] = told.get(name, {}) | dict(part)
    is_well = all(part["state"] in WELL for part in told.values())
    return {"status": "ok" if is_well else "degraded", "parts": told}

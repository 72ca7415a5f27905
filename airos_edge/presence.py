"""How the box is seen in its network: as a device by MQTT, and by mDNS."""

import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path

from airos_edge import __version__
from airos_edge.announce.mdns import Service, announce_services
from airos_edge.box import Box
from airos_edge.config import Config
from airos_edge.home.announced import Announced
from airos_edge.http.settings import is_loopback
from airos_edge.identity import identity
from airos_edge.mqtt.appliance import Appliance, Controls, Deeds
from airos_edge.mqtt.broker import open_broker
from airos_edge.network import place_of
from airos_edge.paths import state_directory
from airos_edge.voice.flow import Scope
from airos_edge.wyoming.settings import Address

log = logging.getLogger(__name__)

LONGEST_NAME = 200
"""Bytes; a text of a DNS record has up to 255, its key among them."""


@asynccontextmanager
async def by_mqtt(
    config: Config, box: Box, restart: Callable[[], None], controls: Controls | None = None
) -> AsyncIterator[None]:
    """The box is a device of the broker's while the block runs, if one is configured.

    `restart` ends the daemon; it is offered where systemd then starts it again. `controls`: of the box's
    own microphone and loudspeaker, where it has them.
    """
    if config.mqtt.host is None:
        yield
        return
    mqtt, place = config.mqtt, place_of(config.mqtt.host or "")
    own = own_identity(config)

    def failing() -> Mapping[str, str]:
        parts = box.state()["parts"]
        return {
            name: part.get("why", "") for name, part in parts.items() if part["state"] == "failed"
        }

    if box.reach < place:
        log.info(
            "MQTT: what is heard and answered is not published: `reach` ends before the broker"
        )
    speaker = box.loudspeaker
    log.info("MQTT: airos/%s/… at %s:%d", own, mqtt.host, mqtt.port)
    deeds = Deeds(
        speaker.say if speaker.is_there else None,
        speaker.hush,
        restart if is_supervised() else None,
        controls,
    )
    async with (
        open_broker(
            mqtt, own, f"airos/{own}/availability", partial(box.health.report, "mqtt")
        ) as broker,
        Scope() as scope,
    ):
        appliance = Appliance(
            own, config.name, mqtt.discovery, broker, deeds, failing, lambda: box.reach >= place
        )
        announced = Announced(broker, mqtt.discovery, box.device_changed)
        box.add_source(announced)
        scope.start(appliance.run(box.hub), "the box by MQTT")
        scope.start(announced.follow(box.refurnish), "the devices by MQTT")
        yield


@asynccontextmanager
async def by_mdns(config: Config, box: Box, faces: Sequence[Service]) -> AsyncIterator[None]:
    """The faces that others can reach are announced while the block runs, unless that is switched off."""
    if not config.mdns.enabled or not faces:
        yield
        return
    report = partial(box.health.report, "mdns")
    async with announce_services(faces, own_identity(config), report):
        yield


def own_identity(config: Config) -> str:
    """One for all that is seen of the box, also where it cannot be kept."""
    return _identity_in(state_directory(config.state.directory))


@cache
def _identity_in(directory: Path) -> str:
    return identity(directory)


def faces(config: Config, http_port: int, wyoming: Address | None) -> list[Service]:
    """What the box is to others, by where it really listens; nothing where only this box reaches it."""
    name = config.name.encode()[:LONGEST_NAME].decode(errors="ignore")
    told = {"name": name, "version": __version__}
    found = []
    if not is_loopback(config.server.host):
        secured = config.server.tls is not None
        web = Service("_https._tcp" if secured else "_http._tcp", http_port)
        found += [Service("_airos-edge._tcp", http_port, told | {"tls": str(int(secured))}), web]
    if wyoming is not None and wyoming.port and not is_loopback(wyoming.host):
        found.append(Service("_wyoming._tcp", wyoming.port))
    return found


def is_supervised() -> bool:
    """Whether systemd has started this very process; children and terminals inherit $INVOCATION_ID."""
    return "NOTIFY_SOCKET" in os.environ or os.environ.get("SYSTEMD_EXEC_PID") == str(os.getpid())

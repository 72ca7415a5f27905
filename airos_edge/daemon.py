"""The composition root: the box and its doors, in the order they open and, mirrored, close."""

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from aiohttp import web

from airos_edge.announce import systemd
from airos_edge.announce.metrics import metering
from airos_edge.box import Box, open_box
from airos_edge.config import Config
from airos_edge.errors import AirosError
from airos_edge.http import tls
from airos_edge.http.administration import administration_routes
from airos_edge.http.control import (
    control_routes,
    health_routes,
    metrics_routes,
    stored_models_routes,
)
from airos_edge.http.keyring import Keyring
from airos_edge.http.keys import Keys
from airos_edge.http.listener import Doors, listen
from airos_edge.http.openai_models import model_routes
from airos_edge.http.openai_speech import speech_routes
from airos_edge.http.openai_transcriptions import transcription_routes
from airos_edge.local.sound import LocalSound, local_sound
from airos_edge.opened import models_directory
from airos_edge.paths import socket_mode, socket_path, state_directory
from airos_edge.presence import by_mdns, by_mqtt, faces
from airos_edge.quota import Quotas
from airos_edge.realtime.client_secrets import client_secret_routes
from airos_edge.realtime.recording import Folder
from airos_edge.realtime.socket import RealtimeDoor
from airos_edge.usual import make_usual_answers
from airos_edge.voice.flow import Scope
from airos_edge.wyoming.services import offered, open_services
from airos_edge.wyoming.settings import Address

log = logging.getLogger(__name__)

GRACE_S = 5.0
"""How long running answers may take to end once the daemon was told to stop."""


def run(config: Config, demo: bool, reread: Callable[[], Config]) -> None:
    """Runs until SIGTERM or SIGINT. The first lets running answers end, a second does not; one that
    comes before the box is ready ends the start.

    SIGHUP reads the configuration again. Raises AirosError when the box cannot start.
    """
    try:
        asyncio.run(_run(config, demo, reread, time.monotonic()))
    except asyncio.CancelledError:
        log.info("Stopped without waiting.")


async def _run(config: Config, demo: bool, reread: Callable[[], Config], started: float) -> None:
    ready, stop = asyncio.Event(), asyncio.Event()
    _stop_on_signals(ready, stop)
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(open_box(config, demo))
        state = state_directory(config.state.directory)
        sound = await stack.enter_async_context(local_sound(config.satellite, box, state))

        async def reload() -> str:
            with systemd.reloading():
                config = reread()
                doors.renew(config.server)
                changed = await box.reload(config)
                systemd.notify_state(box.state())
            logging.getLogger().setLevel(config.log.level.upper())
            sound.renew()
            log.info("Reloaded; changed: %s.", changed)
            return changed

        recordings = None
        if config.server.record is not None:
            recordings = Folder(config.server.record)
            stack.callback(recordings.close)
        realtime = RealtimeDoor(box, recordings)
        control = control_routes(box.open_asking, box.loudspeaker.say, box.check, reload, box.hub)
        control += stored_models_routes(models_directory(config), box.models_changed)
        keyring = Keyring(state)
        keys = Keys(config.server.api_keys, keyring)
        quotas = Quotas(config.server.limits)
        control += administration_routes(state, keyring, quotas.revoke)
        expose = await stack.enter_async_context(metering(box.hub, box.state))
        secrets = client_secret_routes(keys.make_client_secret)
        routes = [*realtime.routes(), *secrets, *health_routes(box.state), *metrics_routes(expose)]
        routes += _openai_routes(box)
        doors = await stack.enter_async_context(
            listen(config.server, routes, control, socket_path(), socket_mode(), keys, quotas)
        )
        wyoming = await stack.enter_async_context(open_services(config.wyoming, box))
        await stack.enter_async_context(by_mqtt(config, box, stop.set, sound.controls))
        seen = faces(config, doors.port, wyoming)
        await stack.enter_async_context(by_mdns(config, box, seen))
        scope = await stack.enter_async_context(Scope())
        _reload_on_hangup(reload, scope)
        _describe(config, doors, wyoming, keys, sound, box, time.monotonic() - started)
        scope.start(systemd.feed_watchdog(sound.is_alive), "watchdog")
        scope.start(systemd.show_state(box.hub, box.state), "status")
        scope.start(make_usual_answers(box), "usual answers")
        systemd.notify("READY=1")
        ready.set()
        await stop.wait()
        systemd.notify("STOPPING=1", "STATUS=Letting answers end")
        log.info("Stopping.")
        await realtime.close(GRACE_S)


def _openai_routes(box: Box) -> list[web.RouteDef]:
    """OpenAI's API beside the Realtime one."""

    def language() -> str:
        return box.language

    return [
        *model_routes(box.model_names),
        *transcription_routes(box.open_hearing, language),
        *speech_routes(box.speak, language, lambda: box.offers().voices),
    ]


def _stop_on_signals(ready: asyncio.Event, stop: asyncio.Event) -> None:
    loop, main = asyncio.get_running_loop(), asyncio.current_task()

    def caught() -> None:
        if main is not None and (stop.is_set() or not ready.is_set()):
            main.cancel()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, caught)


def _reload_on_hangup(reload: Callable[[], Awaitable[str]], scope: Scope) -> None:
    async def quietly() -> None:
        try:
            await reload()
        except AirosError as error:
            log.error("Not reloaded, nothing was changed: %s", error)

    def caught() -> None:
        scope.start(quietly(), "reload")

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, caught)


def _describe(
    config: Config,
    doors: Doors,
    wyoming: Address | None,
    keys: Keys,
    sound: LocalSound,
    box: Box,
    took_s: float,
) -> None:
    parts = box.check()
    demo = ", with the demo house" if parts["demo"] else ""
    log.info("%s is ready after %.1f s%s.", config.name, took_s, demo)
    ws, http = ("wss", "https") if doors.secured else ("ws", "http")
    key = "a key: airos keys" if keys.exist else "any key"
    log.info("Open: %s://%s/v1/realtime  any OpenAI Realtime client, with %s", ws, doors.where, key)
    log.info("Open: %s://%s/healthz  what works and what does not", http, doors.where)
    if config.server.tls is not None:
        said, is_good = tls.told(config.server.tls)
        log.log(logging.INFO if is_good else logging.WARNING, "TLS: %s.", said)
    log.info("Open: %s  airos ask, say, listen, check, reload", doors.socket_path)
    if wyoming is not None:
        names = ", ".join(offered(box))
        log.info("Open: %s  Wyoming, for Home Assistant: %s", wyoming, names)
    if config.server.record is not None:
        log.info("Recorded: every Realtime session, with its sound, in %s", config.server.record)
    for port, part in parts["engines"].items():
        model = f" with {part['model']}" if "model" in part else ""
        why = part["why"].removeprefix(f"{port}: ")
        log.info("%s: %s%s (%s)", port, part["engine"] or "none", model, why)
    for one in box.fluencies:
        is_whole = one.ears and one.voice
        log.log(
            logging.INFO if is_whole else logging.WARNING, "language %s: %s", one.language, one.told
        )
    for name, told in parts["models"].items():
        log.info("llm %s: %s", name, told)
    log.info("microphone: %s; speaker: %s", sound.microphone.says, sound.speaker.says)
    log.info(
        "house: %s", ", ".join(parts["devices"]) or "no devices; see `home` in the configuration"
    )

"""What systemd is told of the daemon: sd_notify(3), which is a datagram with lines of text."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airos_edge.health import WELL, PartChanged, PartsRenewed
from airos_edge.voice.hub import Hub

log = logging.getLogger(__name__)

SEND_LIMIT_S = 1.0
"""systemd reads at once; when it does not, the box has better things to do than to wait for it."""
LONGEST_STATUS = 200


def notify(*lines: str) -> None:
    """Tells the service manager, as in "READY=1"; without one, nothing happens. Never fails."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket, see unix(7)
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
            door.settimeout(SEND_LIMIT_S)
            door.sendto("\n".join(lines).encode(errors="replace"), address)
    except OSError as error:
        log.warning("The service manager cannot be told %s: %s", " ".join(lines), error)


@contextmanager
def reloading() -> Iterator[None]:
    """`systemctl reload` waits for the end of the block, in which all goes on as before."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
    try:
        yield
    finally:
        notify("READY=1")


async def feed_watchdog(*alive: Callable[[], bool]) -> None:
    """Says twice in every $WATCHDOG_USEC that the box lives; without a watchdog, returns at once.

    It lives while the event loop comes round to this, and every one of `alive` says so. One of them may
    say no only of what no longer mends itself: for then systemd kills the box and starts it again.
    """
    every_s = _watchdog_s(os.environ) / 2
    was_fed = True
    while every_s:
        is_fed = all(ask() for ask in alive)
        if is_fed:
            notify("WATCHDOG=1")
        elif was_fed:
            log.error("Sound does not flow any more; systemd is left to start the box again.")
        was_fed = is_fed
        await asyncio.sleep(every_s)


def _watchdog_s(environ: Mapping[str, str]) -> float:
    """How long systemd waits to be fed; 0 if it does not, or not by this process."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    return int(environ.get("WATCHDOG_USEC") or 0) / 1e6


def notify_state(state: Mapping[str, Any]) -> None:
    """Puts the parts that do not work, with their reasons, into the line of `systemctl status`; after them
    those that are starting, where it is known what keeps them."""
    lacking, starting = [], []
    for name, part in state["parts"].items():
        told = f"{name} {part['state']}" + (f" ({part['why']})" if part.get("why") else "")
        if part["state"] not in WELL:
            lacking.append(told)
        elif part["state"] == "starting" and part.get("why"):
            starting.append(told)
    line = " ".join(", ".join([*lacking, *starting]).split())
    if len(line) > LONGEST_STATUS:
        line = f"{line[: LONGEST_STATUS - 1]}…"
    notify(f"STATUS={line or 'Everything works'}")


async def show_state(hub: Hub, state: Callable[[], Mapping[str, Any]]) -> None:
    """`notify_state` now and whenever parts change. Never ends."""
    with hub.watch(16, PartChanged, PartsRenewed) as watch:
        notify_state(state())
        async for _ in watch:
            notify_state(state())

"""The local sound as a whole: which devices there are, and what is made of them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from airos_edge.health import Health
from airos_edge.local.controls import Controls
from airos_edge.local.hands_free import HandsFree
from airos_edge.local.microphone import Microphone
from airos_edge.local.portaudio import AUTO, AudioError, Kind, NoDevice, PortAudio
from airos_edge.local.settings import Settings
from airos_edge.local.sounds import chime
from airos_edge.local.speaker import RATE_HZ, Speaker
from airos_edge.voice.audio import RATE_HZ as HEARD_HZ
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.floor import Floor, Rank
from airos_edge.voice.flow import Scope
from airos_edge.voice.hub import Hub
from airos_edge.voice.ports import OpenMouth
from airos_edge.voice.session import Session

ECHO_MS = 150
"""What was heard by a person is heard by the box's own ears so much later: the microphone's buffer and a block."""


class Loudspeaker(Protocol):
    floor: Floor

    def use(self, open_mouth: OpenMouth | None) -> None: ...


class House(Protocol):
    """What the sound needs of the box."""

    hub: Hub
    health: Health

    @property
    def loudspeaker(self) -> Loudspeaker: ...
    def rules(self) -> TurnRules: ...
    def open_own_session(self, tell: Callable[[Event], None], rules: TurnRules) -> Session: ...


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found of a device. `is_used`: it is there, or was asked for by name and is waited for."""

    is_used: bool
    says: str
    rate_hz: int


def nothing() -> None:
    """Where there is nothing to be done."""


@dataclass(frozen=True, slots=True)
class LocalSound:
    """`controls` is None where there is no local sound; `renew` is for when the box has other parts;
    `is_alive` says no when sound does not flow and will not flow again in this process."""

    microphone: Looked
    speaker: Looked
    is_alive: Callable[[], bool]
    controls: Controls | None = None
    renew: Callable[[], None] = nothing


@asynccontextmanager
async def local_sound(
    settings: Settings, box: House, state: Path | None = None
) -> AsyncIterator[LocalSound]:
    """The box's own microphone and loudspeaker, as far as they are configured and there are any.

    A device that fails is named in the box's health, and opened again when it can be. `state`: the
    directory where mute and volume are kept. Leaving the block closes the devices.
    """
    audio = PortAudio()
    heard = await _look(audio, "input", settings.microphone, HEARD_HZ)
    played = await _look(audio, "output", settings.speaker, RATE_HZ)
    if not (heard.is_used or played.is_used):
        yield LocalSound(heard, played, audio.is_alive)
        return
    controls = Controls(settings.volume_pct, state, box.hub.publish)
    async with Scope() as scope:
        chimes = nothing
        if played.is_used:
            report = partial(box.health.report, "speaker")
            linger_ms = 0 if settings.echo_canceller else ECHO_MS
            speaker = Speaker(audio, settings.speaker or AUTO, played.rate_hz, report, linger_ms)
            speaker.set_volume(controls.volume_pct)
            controls.set_loudness = speaker.set_volume
            speaker.want()  # so that it is known whether it can be opened
            box.loudspeaker.use(speaker.open)
            scope.start(speaker.keep(), "speaker")
            if settings.chime:
                chimes = partial(speaker.play, chime())
        renew = nothing
        if heard.is_used:
            renew = _hands_free(settings, box, audio, controls, chimes, scope)
        try:
            yield LocalSound(heard, played, audio.is_alive, controls, renew)
        finally:
            box.loudspeaker.use(None)


def _hands_free(
    settings: Settings,
    box: House,
    audio: PortAudio,
    controls: Controls,
    chimes: Callable[[], None],
    scope: Scope,
) -> Callable[[], None]:
    """The conversation over the microphone; gives what renews it."""

    def woken() -> None:
        box.loudspeaker.floor.hush(Rank.ANNOUNCE)
        chimes()

    talk = HandsFree(box.open_own_session, box.rules, settings.echo_canceller, woken)
    microphone = Microphone(
        audio,
        settings.microphone or AUTO,
        talk.feed,
        talk.deafen,
        partial(box.health.report, "microphone"),
    )
    microphone.mute(controls.is_muted)
    controls.set_mute = microphone.mute
    scope.start(talk.keep(), "hands-free")
    scope.start(microphone.keep(), "microphone")
    return talk.renew


async def look(settings: Settings) -> tuple[Looked, Looked]:
    """The microphone and the speaker that would be used. Opens neither."""
    audio = PortAudio()
    heard = await _look(audio, "input", settings.microphone, HEARD_HZ)
    return heard, await _look(audio, "output", settings.speaker, RATE_HZ)


async def _look(audio: PortAudio, kind: Kind, wish: str | None, rate_hz: int) -> Looked:
    """Whether to use it. One that was not asked for by name may be absent; any other is waited for."""
    if wish is None:
        return Looked(
            False, f"none ({'microphone' if kind == 'input' else 'speaker'}: null)", rate_hz
        )
    try:
        device = await audio.find(kind, wish, rate_hz)
    except NoDevice as error:
        return Looked(wish != AUTO, f"none ({error})", rate_hz)
    except AudioError as error:
        return Looked(True, f"none yet ({error})", rate_hz)
    return Looked(True, device.name, device.rate_hz)

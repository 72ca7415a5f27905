"""The microphone and the loudspeaker of `airos talk`: those of the section `satellite`, if they are there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from airos_edge.cli.talking.player import OpenMouth
from airos_edge.config import load
from airos_edge.local.microphone import Microphone
from airos_edge.local.portaudio import AUTO, AudioError, PortAudio
from airos_edge.local.speaker import RATE_HZ, Speaker
from airos_edge.voice.audio import RATE_HZ as HEARD_HZ
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.flow import Scope


@dataclass(frozen=True, slots=True)
class SoundCard:
    """`says`: what was found, for people. `is_echo_free`: the microphone does not hear the loudspeaker."""

    says: str
    microphone: AsyncIterator[AudioChunk] | None = None
    open_mouth: OpenMouth | None = None
    is_echo_free: bool = False


@asynccontextmanager
async def sound_card(
    wants_microphone: bool, wants_speaker: bool, config: Path | None
) -> AsyncIterator[SoundCard]:
    """What is wanted and there. A device that is absent is named in `says`; nothing is raised for it."""
    settings, audio = load(config).satellite, PortAudio()
    said, microphone, open_mouth = [], None, None
    async with Scope() as scope:
        if wants_microphone:
            try:
                wish = settings.microphone or AUTO
                device = await audio.find("input", wish, HEARD_HZ)
                microphone = _hearing(audio, wish, scope)
                said.append(f"microphone: {device.name}")
            except AudioError as error:
                said.append(f"no microphone: {error}")
        if wants_speaker:
            try:
                wish = settings.speaker or AUTO
                device = await audio.find("output", wish, RATE_HZ)
                speaker = Speaker(audio, wish, device.rate_hz, _ignore)
                scope.start(speaker.keep(), "speaker")
                open_mouth = speaker.open
                said.append(f"loudspeaker: {device.name}")
            except AudioError as error:
                said.append(f"no loudspeaker: {error}")
        yield SoundCard("; ".join(said), microphone, open_mouth, settings.echo_canceller)


async def _hearing(audio: PortAudio, wish: str, scope: Scope) -> AsyncIterator[AudioChunk]:
    heard: asyncio.Queue[AudioChunk] = asyncio.Queue()
    microphone = Microphone(audio, wish, heard.put_nowait, lambda: None, _ignore)
    scope.start(microphone.keep(), "microphone")
    while True:
        yield await heard.get()


def _ignore(state: object, why: str) -> None:
    """Microphone and loudspeaker say in the log what is wrong with them."""

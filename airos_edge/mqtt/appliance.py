"""The box as a device that others see by MQTT: what it is doing, what was said, and what it may be told to do."""

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from airos_edge.errors import AirosError, EngineError
from airos_edge.health import PartChanged, PartsRenewed
from airos_edge.mqtt.broker import ONLINE, Broker, Message
from airos_edge.mqtt.discovery import Offers, discovery
from airos_edge.voice.events import (
    Event,
    MuteChanged,
    Outcome,
    PhaseChanged,
    ReplyEnded,
    Transcribed,
    VolumeChanged,
    Woke,
)
from airos_edge.voice.flow import Scope
from airos_edge.voice.hub import Hub

log = logging.getLogger(__name__)

HOME_ASSISTANTS = "homeassistant/status"
"""Where it says that it is there, unless it is told to elsewhere: whatever the topic of discovery is."""
KINDS = (
    *(PhaseChanged, PartChanged, PartsRenewed, MuteChanged, VolumeChanged),
    *(Woke, Transcribed, ReplyEnded),
)
WATCHED = 256
"""Events kept while the broker is slow; older ones are not published."""
PASSING = {"wake"}
"""Topics of what happens in a moment: who comes later does not hear of it."""
WORDS = {"transcript", "answer"}
"""Topics of what was said. The broker keeps none of it."""
LONGEST_COMMAND = 10_000
"""Characters. To say them takes ten minutes."""
MOST_SAYING = 8
"""Texts that are being said or wait for it; what comes then is refused."""
LONGEST_DELAY_S = 3.0
"""After Home Assistant's start: not all the house's devices are to announce themselves at once."""


class Controls(Protocol):
    """The box's own microphone and loudspeaker. Changes are told as MuteChanged and VolumeChanged."""

    @property
    def is_muted(self) -> bool: ...

    @property
    def volume_pct(self) -> int: ...

    def mute(self, on: bool) -> None: ...

    def set_volume(self, pct: int) -> None: ...


Say = Callable[[str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Deeds:
    """What the box does when it is told to. None: it cannot."""

    say: Say | None
    stop: Callable[[], object]
    restart: Callable[[], object] | None = None
    controls: Controls | None = None


class Appliance:
    """`failing` gives the parts of the box that have failed, each with why; `shares_words` says whether
    what was said may go where the broker is. Both are asked each time."""

    def __init__(
        self,
        identity: str,
        name: str,
        prefix: str,
        broker: Broker,
        deeds: Deeds,
        failing: Callable[[], Mapping[str, str]],
        shares_words: Callable[[], bool],
    ) -> None:
        self._identity = identity
        self._name = name
        self._prefix = prefix
        self._base = f"airos/{identity}"
        self._broker = broker
        self._deeds = deeds
        self._failing = failing
        self._shares_words = shares_words
        self._phase = "idle"
        self._newest: dict[str, str] = {}
        """What was published last, or would have been, by its topic below the base."""
        self._saying = 0
        self._greeting: asyncio.Task[None] | None = None
        self._scope = Scope()

    async def run(self, hub: Hub) -> None:
        """Publishes and obeys until it is cancelled."""
        async with self._scope:
            with hub.watch(WATCHED, *KINDS) as watch:
                self._broker.on_connect(self._greet)
                births = {f"{self._prefix}/status", HOME_ASSISTANTS}
                self._broker.listen(births, self._home_assistant)
                self._broker.listen([f"{self._base}/cmd/+", f"{self._base}/+/set"], self._command)
                async for event in watch:
                    await self._publish(self._news(event))

    # ---- what is published ----

    async def _greet(self) -> None:
        """The announcement and every state."""
        offers = Offers(
            words=self._shares_words(),
            say=self._deeds.say is not None,
            controls=self._deeds.controls is not None,
            restart=self._deeds.restart is not None,
        )
        payload = discovery(self._identity, self._name, self._base, offers)
        topic = f"{self._prefix}/device/airos_{self._identity}/config"
        await self._broker.publish(topic, json.dumps(payload), retain=True)
        known = {**self._newest, **self._controls(), "state": self._state()}
        hidden = PASSING if offers.words else PASSING | WORDS
        await self._publish({key: text for key, text in known.items() if key not in hidden})

    def _home_assistant(self, message: Message) -> None:
        """It has just started and knows nothing of us. (A retained birth says nothing new.) However often
        it says so, it is told once at a time."""
        if message.text != ONLINE or message.retained:
            return
        if self._greeting is None or self._greeting.done():
            self._greeting = self._scope.start(self._greet_later(), "announcing again by MQTT")

    async def _greet_later(self) -> None:
        await asyncio.sleep(random.uniform(0, LONGEST_DELAY_S))
        await self._broker.greet()

    def _news(self, event: Event) -> dict[str, str]:
        """What changes by the event: the payload for each topic below the base."""
        match event:
            case PhaseChanged():
                self._phase = event.phase
                return {"state": self._state()}
            case PartChanged() | PartsRenewed():
                return {"state": self._state()}
            case MuteChanged() | VolumeChanged():
                return {**self._controls(), "state": self._state()}
            case Woke():
                return {"wake": _woken(event)}
            case Transcribed() if event.text and self._shares_words():
                return {"transcript": _json(text=event.text, certainty=event.certainty)}
            case ReplyEnded(apart=False):
                answer = {"answer": _answer(event.outcome)} if self._shares_words() else {}
                return {**_measured(event.outcome), **answer}
        return {}

    async def _publish(self, news: Mapping[str, str]) -> None:
        self._newest.update(news)
        try:
            for key, text in news.items():
                retain = key not in PASSING | WORDS
                await self._broker.publish(f"{self._base}/{key}", text, retain)
        except EngineError as error:
            log.debug("Not published: %s", error)

    def _controls(self) -> dict[str, str]:
        controls = self._deeds.controls
        if controls is None:
            return {}
        return {"mute": "ON" if controls.is_muted else "OFF", "volume": str(controls.volume_pct)}

    def _state(self) -> str:
        """What it is doing; while it does nothing, whether it could."""
        state, failing = self._phase, self._failing()
        if state == "idle" and self._deeds.controls is not None and self._deeds.controls.is_muted:
            state = "muted"
        elif state == "idle" and failing:
            state = "error"
        return _json(state=state, failed=dict(failing))

    # ---- what is obeyed ----

    def _command(self, message: Message) -> None:
        """`…/cmd/say`, `…/mute/set`. What the broker has kept was meant for another time."""
        path = message.topic.removeprefix(f"{self._base}/")
        verb = path.removeprefix("cmd/").removesuffix("/set")
        if message.retained:
            log.warning("MQTT: %s is refused: a command must not be retained", message.topic)
        elif len(message.text) > LONGEST_COMMAND:
            log.warning("MQTT: %s is refused: %d characters", message.topic, len(message.text))
        elif not self._obey(verb, message.text.strip()):
            log.warning("MQTT: %s is refused: %.40r", message.topic, message.text)

    def _obey(self, verb: str, text: str) -> bool:
        """Whether it is a command that the box knows."""
        deeds, controls = self._deeds, self._deeds.controls
        match verb:
            case "say" if deeds.say is not None and text and self._saying < MOST_SAYING:
                self._saying += 1
                self._scope.start(self._say(deeds.say, text), "saying what came by MQTT")
            case "stop":
                deeds.stop()
            case "restart" if deeds.restart is not None:
                log.info("Restarting, as MQTT says.")
                deeds.restart()
            case "mute" if controls is not None and text in ("ON", "OFF"):
                controls.mute(text == "ON")
                self._echo()
            case "volume" if controls is not None and _is_percentage(text):
                controls.set_volume(round(float(text)))
                self._echo()
            case _:
                return False
        return True

    def _echo(self) -> None:
        """Who has set it to what it was before is told so too: no event is."""
        self._scope.start(self._publish(self._controls()), "echoing by MQTT")

    async def _say(self, say: Say, text: str) -> None:
        try:
            await say(text)
        except AirosError as error:
            log.warning("What came by MQTT could not be said: %s", error)
        finally:
            self._saying -= 1


def _is_percentage(text: str) -> bool:
    try:
        return 0 <= float(text) <= 100
    except ValueError:
        return False


def _woken(event: Woke) -> str:
    score, loudness_dbfs = round(event.score, 3), round(event.loudness_dbfs, 1)
    return _json(event_type="wake", word=event.word, score=score, loudness_dbfs=loudness_dbfs)


def _answer(outcome: Outcome) -> str:
    return _json(
        text=outcome.text,
        status=outcome.status,
        error=outcome.error,
        tier=outcome.tier,
        intent=outcome.intent,
    )


def _measured(outcome: Outcome) -> dict[str, str]:
    """`latency` is until the first sound of the answer, or its first word where it was written."""
    stages_ms = outcome.stages_ms
    first_ms = stages_ms.get("speak", stages_ms.get("respond"))
    latency = {} if first_ms is None else {"latency": _json(ms=first_ms, stages_ms=dict(stages_ms))}
    return {"left": outcome.left.value, **latency}


def _json(**values: Any) -> str:
    return json.dumps(values, ensure_ascii=False)

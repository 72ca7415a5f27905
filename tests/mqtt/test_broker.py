"""The connection to a real broker: kept, lost, found again, and left."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from airos_edge.errors import EngineError
from airos_edge.mqtt.broker import LARGEST_BYTES, Broker, Message, open_broker
from airos_edge.mqtt.settings import Settings
from airos_edge.voice.flow import Scope
from tests.mosquitto import Mosquitto, Spy

pytestmark = pytest.mark.real_time

AVAILABILITY = "airos/0123456789ab/availability"


class Reports:
    def __init__(self) -> None:
        self.states: list[str] = []
        self._came = asyncio.Event()

    def __call__(self, state: str, why: str) -> None:
        self.states.append(state)
        self.why = why
        self._came.set()

    async def wait_for(self, state: str) -> None:
        """Until this is the newest."""
        async with asyncio.timeout(15):
            while not self.states or self.states[-1] != state:
                self._came.clear()
                await self._came.wait()


class Ear:
    def __init__(self) -> None:
        self.heard: asyncio.Queue[Message] = asyncio.Queue()

    def __call__(self, message: Message) -> None:
        self.heard.put_nowait(message)

    async def next(self) -> Message:
        async with asyncio.timeout(10):
            return await self.heard.get()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[Broker, Reports]]:
    reports = Reports()
    settings = Settings(host="127.0.0.1", port=port)
    async with open_broker(settings, "0123456789ab", AVAILABILITY, reports) as broker:
        yield broker, reports


async def test_words_to_a_broker_that_has_just_died_cost_no_traceback(mosquitto: Mosquitto) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
    async with connected(mosquitto.port) as (broker, reports):
        await reports.wait_for("ok")
        await broker.publish("lamp/1/state", "on")
        mosquitto.kill()
        # All are sent before the loop looks whether there is anything to read.
        said = [broker.publish("lamp/1/state", "off") for _ in range(3)]
        answers = await asyncio.gather(*said, return_exceptions=True)
        assert all(isinstance(answer, EngineError) for answer in answers)
        await reports.wait_for("failed")
    assert complaints == []


async def test_what_is_listened_for_is_heard_before_and_after_a_broker_dies(
    mosquitto: Mosquitto,
) -> None:
    ear = Ear()
    async with connected(mosquitto.port) as (broker, reports):
        broker.listen(["lamp/+/state"], ear)
        await reports.wait_for("ok")
        await broker.publish("lamp/1/state", "on", retain=True)
        assert await ear.next() == Message("lamp/1/state", "on")
        mosquitto.kill()
        await reports.wait_for("failed")
        assert reports.why.endswith(": the connection was lost")
        with pytest.raises(EngineError, match="is not there"):
            await broker.publish("lamp/1/state", "off")
        mosquitto.start()
        await reports.wait_for("ok")
        later = Ear()
        broker.listen(["lamp/2/state"], later)
        await broker.publish("lamp/1/state", "off")
        assert await ear.next() == Message("lamp/1/state", "off")
        await broker.publish("lamp/2/state", "on", retain=True)
        await later.next()
        third = Ear()
        broker.listen(["lamp/2/state"], third)
        assert await third.next() == Message("lamp/2/state", "on", retained=True)


async def test_greetings_are_said_whenever_the_broker_is_there_again(mosquitto: Mosquitto) -> None:
    greeted: asyncio.Queue[str] = asyncio.Queue()

    async def greet() -> None:
        greeted.put_nowait("hello")

    async with connected(mosquitto.port) as (broker, reports):
        broker.on_connect(greet)
        async with asyncio.timeout(15):
            await greeted.get()
            mosquitto.kill()
            await reports.wait_for("failed")
            mosquitto.start()
            await greeted.get()


async def test_what_is_forgotten_is_not_heard_any_more(mosquitto: Mosquitto) -> None:
    one, other = Ear(), Ear()
    async with connected(mosquitto.port) as (broker, reports):
        broker.listen(["lamp"], one)
        broker.listen(["lamp"], other)
        await reports.wait_for("ok")
        await broker.publish("lamp", "on")
        await one.next()
        await other.next()
        broker.forget(["lamp"], one)
        await broker.publish("lamp", "off")
        assert (await other.next()).text == "off"
    assert one.heard.empty()


async def test_what_is_no_text_or_too_much_or_breaks_its_reader_costs_a_line_in_the_log(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    ear = Ear()

    def reader(message: Message) -> None:
        if message.text == "break":
            raise KeyError("a mistake")
        ear(message)

    spy = await asyncio.to_thread(Spy, mosquitto.port)
    async with connected(mosquitto.port) as (broker, reports):
        broker.listen(["lamp"], reader)
        await reports.wait_for("ok")
        for payload in (b"\xff", b"x" * (LARGEST_BYTES + 1), b"break", b"on"):
            await asyncio.to_thread(spy.say, "lamp", payload)
        assert (await ear.next()).text == "on"
    await asyncio.to_thread(spy.close)
    assert ear.heard.empty()
    assert "utf-8" in caplog.text
    assert "too many" in caplog.text
    assert "could not be understood" in caplog.text


async def test_it_is_online_while_it_is_there_and_offline_when_it_has_left(
    mosquitto: Mosquitto,
) -> None:
    spy = await asyncio.to_thread(Spy, mosquitto.port)
    async with connected(mosquitto.port):
        await asyncio.to_thread(spy.wait_for, AVAILABILITY, lambda text: text == "online")
    await asyncio.to_thread(spy.wait_for, AVAILABILITY, lambda text: text == "offline")
    await asyncio.to_thread(spy.close)


async def test_who_is_cancelled_when_the_answer_comes_is_cancelled_all_the_same() -> None:
    class Swallows:
        """As asyncio.wait_for does before Python 3.12."""

        async def publish(self, *_: object, **__: object) -> None:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    broker = Broker(Settings(host="x"), "0123456789ab", AVAILABILITY, Reports())
    broker._client = Swallows()  # type: ignore[assignment]
    async with Scope() as scope:
        task = scope.start(broker.publish("lamp", "on"), "publishing")
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled()


async def test_a_broker_that_never_answers_does_not_keep_the_box_from_stopping() -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with connected(silent.getsockname()[1]) as (broker, reports):
            caller, _ = await asyncio.to_thread(silent.accept)
            with pytest.raises(EngineError):
                await broker.publish("lamp", "on")
            began = loop.time()
        caller.close()
    assert loop.time() - began < 2.5
    assert reports.states == ["starting"]

"""The broker: a connection that is kept, what is listened for on it, and what is said."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airos_edge.errors import EngineError
from airos_edge.health import State
from airos_edge.mqtt.settings import Settings
from airos_edge.voice.flow import Scope

if TYPE_CHECKING:
    from aiomqtt import Client
    from aiomqtt import Message as Arrived

log = logging.getLogger(__name__)
quiet = logging.getLogger(f"{__name__}.client")
quiet.setLevel(logging.CRITICAL)
"""What the client library would say of lost connections, we say ourselves, and once."""

ONLINE, OFFLINE = "online", "offline"
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
"""Between two tries to connect; doubled each time, and shortened by chance, so that not all the
house's devices come at once when its broker is back."""
KEEPALIVE_S = 30
"""After one and a half times this the broker says that a box which vanished is offline."""
ANSWERS_S = 5.0
"""How long the broker may take to answer: somebody waits for the lamp."""
LARGEST_BYTES = 256 * 1024
"""Nothing that is of use here is larger."""
MOST_WAITING = 10_000
"""Messages that have arrived and not been looked at; what comes then is lost."""
TOPICS_AT_ONCE = 100
MOST_UNANSWERED = 8
LOST = "Unspecified error"
"""What the client library says where a connection ended and nobody said why."""
REFUSED = 128
"""From here on, the answer to a subscription is no (MQTT 3.1.1, 3.9.3)."""


@dataclass(frozen=True, slots=True)
class Message:
    """`retained`: the broker has kept it for us; it was not sent just now."""

    topic: str
    text: str
    retained: bool = False


Receive = Callable[[Message], None]
Report = Callable[[State, str], None]
"""The state of the connection, and why."""


class Broker:
    """Get it from `open_broker`. It may be used whether the connection is there or not."""

    def __init__(
        self, settings: Settings, identity: str, availability: str, report: Report
    ) -> None:
        self._settings = settings
        self._name = f"MQTT broker {settings.host}:{settings.port}"
        self._identity = identity
        self._availability = availability
        self._report = report
        self._client: Client | None = None
        self._connected_at: float | None = None
        self._is_failing = False
        self._receivers: dict[str, list[Receive]] = {}
        self._unsubscribed: set[str] = set()
        self._wants = asyncio.Event()
        self._greetings: list[Callable[[], Awaitable[None]]] = []

    # ---- for those who use it ----

    def on_connect(self, greet: Callable[[], Awaitable[None]]) -> None:
        """Has it called whenever the broker is there, or there again."""
        self._greetings.append(greet)

    def listen(self, topics: Iterable[str], receive: Receive) -> None:
        """From now on, what comes on these topics, which may have wildcards, is given to `receive`.

        Of what the broker has retained there, it gets each once more.
        """
        for topic in topics:
            self._receivers.setdefault(topic, []).append(receive)
            self._unsubscribed.add(topic)
        self._wants.set()

    def forget(self, topics: Iterable[str], receive: Receive) -> None:
        """The opposite of `listen`. The broker may go on sending."""
        for topic in topics:
            receivers = self._receivers.get(topic, [])
            if receive in receivers:
                receivers.remove(receive)
            if not receivers:
                self._receivers.pop(topic, None)
                self._unsubscribed.discard(topic)

    async def publish(self, topic: str, text: str, retain: bool = False) -> None:
        """Returns when the broker has it. Raises EngineError when it is not there or does not answer."""
        if self._client is None:
            raise EngineError(self._name, "is not there")
        with self._translated():
            await self._client.publish(topic, text, qos=1, retain=retain)

    async def greet(self) -> None:
        """Says all that whoever has just come needs to know. Raises EngineError."""
        await self.publish(self._availability, ONLINE, retain=True)
        for greet in self._greetings:
            await greet()

    # ---- the connection ----

    async def keep(self) -> None:
        """Connects, and connects again, until it is cancelled. One line in the log for each change."""
        loop = asyncio.get_running_loop()
        wait_s = FIRST_WAIT_S
        while True:
            self._connected_at = None
            try:
                await self._connection()
            except EngineError as error:
                self._failed(str(error))
            # A connection that lasted for longer than we would wait now was a good one.
            if self._connected_at is not None and loop.time() - self._connected_at > wait_s:
                wait_s = FIRST_WAIT_S
            await asyncio.sleep(wait_s * random.uniform(0.5, 1))
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    async def _connection(self) -> None:
        """Lasts as long as the connection: ends with an EngineError or, cancelled, with a farewell."""
        from aiomqtt import Client, Will

        settings = self._settings
        client = Client(
            settings.host or "",
            settings.port,
            username=settings.username,
            password=settings.password.value if settings.password else None,
            identifier=f"airos-{self._identity}",
            will=Will(self._availability, OFFLINE, qos=1, retain=True),
            timeout=ANSWERS_S,
            keepalive=KEEPALIVE_S,
            logger=quiet,
            max_queued_incoming_messages=MOST_WAITING,
            max_concurrent_outgoing_calls=MOST_UNANSWERED,
        )
        _write_to_the_living(client)
        try:
            with self._translated():
                async with client:
                    await self._serve(client)
        finally:
            _cut(client)

    async def _serve(self, client: "Client") -> None:
        self._client = client
        try:
            await self._subscribe(client, set(self._receivers))
            self._connected()
            async with Scope() as scope:
                work = (self._subscribe_more(client), self._hand_out(client), self.greet())
                tasks = [scope.start(one, "a conversation by MQTT") for one in work]
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
                for task in done:
                    task.result()
        except asyncio.CancelledError:
            with suppress(EngineError):
                await self.publish(self._availability, OFFLINE, retain=True)
            raise
        finally:
            self._client = None

    async def _subscribe_more(self, client: "Client") -> None:
        while True:
            await self._wants.wait()
            self._wants.clear()
            await self._subscribe(client, self._unsubscribed)

    async def _subscribe(self, client: "Client", wanted: set[str]) -> None:
        """Whatever is wanted by now is subscribed to when it returns."""
        topics, self._unsubscribed = sorted(wanted), set()
        for start in range(0, len(topics), TOPICS_AT_ONCE):
            some = topics[start : start + TOPICS_AT_ONCE]
            with self._translated():
                answers: Sequence[Any] = await client.subscribe([(topic, 1) for topic in some])
            for topic, answer in zip(some, answers, strict=True):
                code = answer if isinstance(answer, int) else answer.value
                if code >= REFUSED:
                    log.warning("%s does not let us listen to %s", self._name, topic)

    async def _hand_out(self, client: "Client") -> None:
        with self._translated():
            async for arrived in client.messages:
                self._hand(arrived)

    def _hand(self, arrived: "Arrived") -> None:
        topic, payload = str(arrived.topic), bytes(arrived.payload or b"")
        try:
            if len(payload) > LARGEST_BYTES:
                raise ValueError(f"{len(payload)} bytes are too many")
            message = Message(topic, payload.decode(), bool(arrived.retain))
        except ValueError as error:
            log.warning("What came by MQTT on %s is refused: %s", topic, error)
            return
        patterns = [wanted for wanted in self._receivers if "+" in wanted or "#" in wanted]
        matching = [topic, *(pattern for pattern in patterns if arrived.topic.matches(pattern))]
        for receive in [who for wanted in matching for who in self._receivers.get(wanted, [])]:
            try:
                receive(message)
            except Exception:  # boundary: what is in a message must not end the connection
                log.exception("What came by MQTT on %s could not be understood", topic)

    # ---- how it is ----

    def _connected(self) -> None:
        self._is_failing = False
        self._connected_at = asyncio.get_running_loop().time()
        self._report("ok", "")
        log.info("%s: connected", self._name)

    def _failed(self, why: str) -> None:
        if not self._is_failing:
            log.warning("%s; going on without it, and trying again", why)
        self._is_failing = True
        self._report("failed", why)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Around what aiomqtt does for us: its errors become ours, and no cancelling is lost."""
        from aiomqtt import MqttError

        try:
            yield
            # asyncio.wait_for, in which it waits, loses one that comes with the answer, until Python 3.12.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError
        except (MqttError, ValueError) as error:  # ValueError: a topic that cannot be one
            text = str(error.__cause__ or error) or type(error).__name__
            if LOST in text:
                text = "the connection was lost"
            if any(word in text.lower() for word in ("authori", "password")):
                text += "; see mqtt.username and mqtt.password"
            raise EngineError(self._name, text) from error


def _write_to_the_living(client: "Client") -> None:
    """Has the loop watch sockets for writing, as aiomqtt does, but none that has been closed meanwhile, as
    that of a broker which has just died is: the loop would log a traceback."""
    paho, loop = client._client, asyncio.get_running_loop()

    def watch(sock: Any) -> None:
        if sock.fileno() != -1:
            loop.add_writer(sock.fileno(), paho.loop_write)

    def register(paho: object, data: object, sock: Any) -> None:
        loop.call_soon_threadsafe(watch, sock)  # a thread may have connected it

    paho.on_socket_register_write = register


def _cut(client: "Client") -> None:
    """aiomqtt leaves a connection open that was given up before the broker had answered, and lets a
    thread that still connects come back to the loop."""
    paho = client._client
    paho.disconnect()
    paho.on_socket_open = paho.on_socket_close = paho.on_socket_register_write = None


@asynccontextmanager
async def open_broker(
    settings: Settings, identity: str, availability: str, report: Report
) -> AsyncIterator[Broker]:
    """A broker whose connection is kept while the block runs; nothing waits for it.

    While it is connected `availability` is "online", retained; the broker says "offline" there when
    the box vanishes, and the box itself when the block is left.
    """
    broker = Broker(settings, identity, availability, report)
    report("starting", "")
    async with Scope(grace_s=2.0) as scope:
        scope.start(broker.keep(), "mqtt")
        yield broker

"""Who may connect, what a broken or greedy peer gets, and that nobody is kept waiting by somebody's work."""

import asyncio
import os
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping
from wyoming.tts import Synthesize

from airos_edge.errors import AirosError
from airos_edge.wyoming import connection, server
from airos_edge.wyoming.connection import Connection
from airos_edge.wyoming.services import open_services
from airos_edge.wyoming.settings import Address, Settings
from tests.fakes import FakeTts, Fault
from tests.wyoming.box import OFFERS, FakeBox, Peer, connected, served, talking
from tests.wyoming.test_frames import OF_10_GB

BROKEN = [
    b"hello\n",
    b'{"type": "\xff\xfe"}\n',
    b"[1,2]\n",
    b"{}\n",
    b'{"type": "x", "payload_length": "5"}\n',
    b'{"type": "x", "payload_length": -5}\n',
    b'{"type": "x", "data": null, "data_length": 2}\n{}',
    b'{"type": "transcript"}\n',
    b'{"type": "synthesize", "data": {"text": "a", "voice": 5}}\n',
    b'{"type": "detect", "data": {"names": 5}}\n',
    b'{"type": "x", "payload_length": 200000000}\n' + bytes(100_000),
    OF_10_GB + bytes(100_000),
    b"x" * 200_000,
]


def memory_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# ---- what is answered ---------------------------------------------------------------------------


async def test_describe_and_ping_are_answered_and_what_is_unknown_is_dropped() -> None:
    async with talking(FakeBox()) as peer:
        await peer.send(b'{"type": "select-program", "data": {"name": "x"}}\n', b'{"type": "?"}\n')
        await peer.send(Ping("hi"), Describe())
        assert await peer.next() == Event("pong", {"text": "hi"})
        (event,) = await peer.until("info")
        info = Info.from_event(event)
        assert [len(part) for part in (info.asr, info.tts, info.wake, info.handle)] == [1] * 4
        assert (info.satellite, info.intent) == (None, [])


async def test_a_ping_is_answered_while_a_voice_works() -> None:
    async with talking(FakeBox(tts=FakeTts(takes_ms=5000))) as peer:
        await peer.send(Synthesize("hello"), Ping())
        assert [event.type for event in await peer.until("audio-start")] == ["pong", "audio-start"]


# ---- what breaks a connection, and nothing else -------------------------------------------------


@pytest.mark.parametrize("sent", BROKEN)
async def test_a_broken_peer_is_told_and_disconnected(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with talking(FakeBox()) as peer:
        await peer.send(sent)
        event = await peer.next()
        assert event is not None
        assert (event.type, event.data["code"]) == ("error", "protocol")
        peer.writer.write_eof()
        assert await peer.next() is None
    assert caplog.messages == []


@pytest.mark.parametrize("sent", [b'{"type', b'{"type": "x", "payload_length": 9}\n12'])
async def test_a_peer_that_goes_within_an_event_disturbs_nobody(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with talking(FakeBox()) as peer:
        await peer.send(sent)
        peer.writer.transport.abort()
        await asyncio.sleep(1)
    assert caplog.messages == []


@pytest.mark.real_time
async def test_memory_does_not_grow_by_what_is_declared() -> None:
    async with served(FakeBox()) as address, connected(address) as peer:
        before = memory_bytes()
        await peer.send(OF_10_GB)
        for _ in range(64):
            peer.writer.write(bytes(1024 * 1024))
            try:
                await peer.writer.drain()
            except ConnectionError:
                break
        assert memory_bytes() - before < 16 * 1024 * 1024


async def test_an_engine_that_fails_is_told_and_ends_the_connection() -> None:
    async with talking(FakeBox(tts=FakeTts(fault=Fault.RAISE))) as peer:
        await peer.send(Synthesize("hello"))
        (error,) = await peer.until("error")
        assert error.data == {"text": "fake_tts: broke", "code": "failed"}
        peer.writer.write_eof()
        assert await peer.next() is None


async def test_a_mistake_of_ours_is_told_as_one(caplog: pytest.LogCaptureFixture) -> None:
    async with talking(FakeBox(tts=FakeTts(fault=Fault.CRASH))) as peer:
        await peer.send(Synthesize("hello"))
        (error,) = await peer.until("error")
        assert "the log says what" in error.data["text"]
    assert "wyoming request failed" in caplog.text


async def test_what_is_worked_on_ends_with_its_connection() -> None:
    tts = FakeTts(takes_ms=60_000)
    async with talking(FakeBox(tts=tts)) as peer:
        await peer.send(Synthesize("hello"), Ping())
        await peer.until("pong")
        assert tts.running == 1
        peer.writer.transport.abort()
        await asyncio.sleep(2)
        assert tts.running == 0


# ---- limits -------------------------------------------------------------------------------------


async def test_who_says_nothing_for_too_long_is_disconnected() -> None:
    async with talking(FakeBox()) as peer:
        await asyncio.sleep(connection.IDLE_S - 1)
        await peer.send(Ping())
        await peer.until("pong")
        await asyncio.sleep(connection.IDLE_S + 1)
        (error,) = await peer.until("error")
        assert "nothing was asked for" in error.data["text"]


async def test_a_header_that_comes_byte_by_byte_is_nothing_said() -> None:
    async with talking(FakeBox()) as peer:
        for _ in range(9):
            await peer.send(b" ")
            await asyncio.sleep(connection.IDLE_S / 9)
        assert (await peer.until("error"))[0].data["code"] == "protocol"


async def test_a_peer_that_does_not_read_is_disconnected() -> None:
    tts = FakeTts(ms_per_character=10_000)
    async with talking(FakeBox(tts=tts)) as peer:
        peer.reader._transport.pause_reading()  # type: ignore[attr-defined]
        await peer.send(Synthesize("hello " * 500))
        await asyncio.sleep(connection.WRITE_S + 10)
        assert tts.running == 0


async def test_one_peer_may_not_have_all_connections() -> None:
    async with talking(FakeBox()) as peer:
        path = peer.writer.get_extra_info("peername")
        others = []
        for _ in range(server.MOST_OF_A_PEER - 1):
            other = connected(Address(path=path))
            others.append(other)
            await (await other.__aenter__()).send(Ping())
        async with connected(Address(path=path)) as one_more:
            (error,) = await one_more.until("error")
            assert error.data["text"] == "too many connections"
        for other in others:
            await other.__aexit__(None, None, None)
        await asyncio.sleep(2)
        async with connected(Address(path=path)) as again:
            await again.send(Ping())
            await again.until("pong")


@pytest.mark.real_time
async def test_who_is_refused_takes_no_place_from_others() -> None:
    async with served(FakeBox(), allow=["127.0.0.2"]) as address, AsyncExitStack() as strangers:
        for _ in range(server.MOST + 1):
            await strangers.enter_async_context(connected(address))
        opening = asyncio.open_connection(address.host, address.port, local_addr=("127.0.0.2", 0))
        reader, writer = await opening
        await Peer(reader, writer).send(Ping())
        await Peer(reader, writer).until("pong")
        writer.transport.abort()


async def test_what_a_peer_does_not_take_does_not_keep_the_socket_open() -> None:
    async def serve(connection: Connection) -> None:
        connection.post(Transcript("x" * 1_000_000))

    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    await server.Door([], serve).talk(reader, writer)
    await asyncio.sleep(server.LINGER_S + 1)
    with theirs:
        theirs.settimeout(1)
        assert sum(len(theirs.recv(100_000)) for _ in range(20)) < 1_000_000


async def test_one_connection_may_not_ask_for_everything_at_once() -> None:
    async with talking(FakeBox(tts=FakeTts(takes_ms=1000))) as peer:
        await peer.send(*[Synthesize("hello")] * (connection.MOST_AT_ONCE + 1))
        (error,) = await peer.until("error")
        assert "requests at once" in error.data["text"]


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("allow", "is_let_in"),
    [(["loopback"], True), (["127.0.0.0/24"], True), (["private"], False), ([], False)],
)
async def test_only_who_is_allowed_is_let_in(allow: list[str], is_let_in: bool) -> None:
    async with served(FakeBox(), allow=allow) as address, connected(address) as peer:
        await peer.send(Ping())
        event = (await peer.until("pong", "error"))[0]
        assert (event.type == "pong") == is_let_in
        assert is_let_in or event.data["text"] == "127.0.0.1 is not in wyoming.allow"


# ---- opening and closing ------------------------------------------------------------------------


async def test_a_unix_socket_is_removed_and_one_that_is_left_behind_is_no_obstacle(
    tmp_path: Path,
) -> None:
    path = tmp_path / "wyoming"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    async with served(FakeBox(), uri=f"unix://{path}") as address:
        with pytest.raises(AirosError, match="another program does"):
            async with served(FakeBox(), uri=f"unix://{path}"):
                pass
        async with connected(address) as peer:
            await peer.send(Ping())
            await peer.until("pong")
    assert not path.exists()


@pytest.mark.real_time
async def test_a_port_that_is_taken_is_told_and_the_box_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    box = FakeBox()
    async with (
        served(box) as address,
        open_services(Settings(services=str(address)), box) as opened,
    ):
        assert opened is None
    assert "Address already in use; see wyoming.services" in caplog.text
    assert box.health.parts()["wyoming"]["state"] == "failed"
    async with open_services(Settings(services="tcp://127.0.0.1:0"), box) as opened:
        assert opened is not None
    assert box.health.parts()["wyoming"] == {"state": "ok"}


async def test_no_address_is_no_services() -> None:
    box = FakeBox()
    async with open_services(Settings(services=None), box) as opened:
        assert opened is None
    assert box.health.parts() == {}


async def test_only_the_stages_that_are_wanted_are_served(tmp_path: Path) -> None:
    uri = f"unix://{tmp_path}/asr"
    async with served(FakeBox(OFFERS), ["asr"], uri=uri) as address, connected(address) as peer:
        await peer.send(Transcript("hello"), Synthesize("hello"), Describe(), Ping())
        info, _ = await peer.until("pong")
        assert [part for part, programs in info.data.items() if programs] == ["asr"]

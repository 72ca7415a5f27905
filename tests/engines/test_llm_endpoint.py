"""A model's server over HTTP: every way it can fail is one sentence, and hanging up is at once."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from airos_edge.engines import llm_endpoint as module
from airos_edge.engines.llm_endpoint import Endpoint, open_endpoint, retry_after_s
from airos_edge.errors import EngineError
from airos_edge.secret import Secret
from airos_edge.voice.ports import Place
from tests.e2e.conftest import free_port
from tests.model_server import (
    DONE,
    LIMIT_S,
    Cut,
    ModelServer,
    Raw,
    Status,
    Step,
    Wait,
    model_server,
    says,
    words,
)

pytestmark = pytest.mark.real_time

KEY = Secret("sk-very-secret", "env:KEY")


@asynccontextmanager
async def opened(url: str, key: Secret | None = None) -> AsyncGenerator[Endpoint, None]:
    endpoint = open_endpoint("fast", url, "tiny", Place.LOCAL, key, {})
    async with aclosing(endpoint):
        yield endpoint


async def read(endpoint: Endpoint) -> list[Any]:
    async with aclosing(endpoint.events("/chat/completions", {"model": "tiny"})) as events:
        return [event async for event in events]


async def failure(steps: Sequence[Step], key: Secret | None = None) -> EngineError:
    with model_server(steps) as server:
        async with opened(server.url, key) as endpoint:
            with pytest.raises(EngineError) as raised:
                await read(endpoint)
    assert raised.value.engine == "fast"
    assert KEY.value not in str(raised.value)
    return raised.value


async def test_events_come_as_they_are_sent() -> None:
    with model_server([*words("a"), Wait(), DONE]) as server:
        async with opened(server.url) as endpoint:
            events = endpoint.events("/chat/completions", {})
            async with aclosing(events):
                assert (await anext(events))["choices"][0]["delta"] == {"content": "a"}


async def test_what_was_read_to_its_end_leaves_its_connection_for_the_next_question() -> None:
    with model_server(says("a", "b")) as server:
        async with opened(server.url) as endpoint:
            for _ in range(3):
                assert len(await read(endpoint)) == 4
        assert server.connections == 1


async def test_who_keeps_the_line_open_after_the_last_word_is_not_waited_for() -> None:
    with model_server([*says("a"), Wait()]) as server:
        async with opened(server.url) as endpoint, asyncio.timeout(LIMIT_S / 2):
            assert len(await read(endpoint)) == 3


async def test_closing_hangs_up() -> None:
    with model_server([*words("a"), Wait()]) as server:
        async with opened(server.url) as endpoint:
            events = endpoint.events("/chat/completions", {})
            await anext(events)
            await events.aclose()
            await _hung_up(server)


async def test_cancelling_hangs_up_before_the_first_event_too() -> None:
    with model_server([Wait()]) as server:
        async with opened(server.url) as endpoint:
            task = asyncio.ensure_future(read(endpoint))
            assert await asyncio.to_thread(server.asked.wait, LIMIT_S / 2)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
            await _hung_up(server)


async def _hung_up(server: ModelServer) -> None:
    assert await asyncio.to_thread(server.hung_up.wait, LIMIT_S / 2)


@pytest.mark.parametrize(
    ("status", "key", "told"),
    [
        (401, None, r"wants a key: give it as llm\.fast\.api_key \(HTTP 401: not today\)"),
        (401, KEY, r"refuses the key of llm\.fast\.api_key"),
        (403, KEY, r"refuses the key"),
        (404, None, r"knows no model 'tiny' at http://127.*: look at llm\.fast"),
        (400, None, r"refuses the question \(HTTP 400: not today\)"),
        (500, None, r"its server failed \(HTTP 500"),
        (529, None, r"its server failed \(HTTP 529"),
        (302, None, r"refuses the question \(HTTP 302"),
    ],
)
async def test_a_refusal_says_what_to_do(status: int, key: Secret | None, told: str) -> None:
    error = await failure([Status(status)], key)
    assert re.search(told, str(error)), error
    assert error.retry_after_s is None


async def test_who_is_asked_too_often_says_how_long_to_wait() -> None:
    error = await failure([Status(429, headers={"Retry-After": "20"})])
    assert "rests for 20 s" in str(error)
    assert error.retry_after_s == 20
    assert (await failure([Status(429)])).retry_after_s is None


def test_a_date_to_retry_after_is_no_number_of_seconds() -> None:
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") is None
    assert retry_after_s("") is None
    assert retry_after_s("7") == 7


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"detail": "Not Found"}, "HTTP 500: Not Found"),
        ({"error": "no such thing"}, "HTTP 500: no such thing"),
        ({"error": {"message": f"wrong key {KEY.value}"}}, "HTTP 500: wrong key ***"),
        ("<html>\n  Bad   Gateway</html>", "HTTP 500: <html> Bad Gateway</html>"),
        ("", "HTTP 500: nothing"),
        ("x" * 100_000, "HTTP 500: " + "x" * 200 + ")"),
    ],
)
async def test_the_servers_own_words_are_shown_shortly_and_without_the_key(
    body: Any, told: str
) -> None:
    assert told in str(await failure([Status(500, body)], KEY))


async def test_nobody_there_is_told_with_the_address() -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"
    async with opened(url) as endpoint:
        with pytest.raises(EngineError, match=f"cannot be reached at {url}.*does its server run"):
            await read(endpoint)


async def test_a_password_in_the_address_is_not_shown() -> None:
    port = free_port()
    async with opened(f"http://me:secret@127.0.0.1:{port}/v1") as endpoint:
        with pytest.raises(EngineError, match=f"reached at http://127.0.0.1:{port}/v1:"):
            await read(endpoint)


async def test_a_server_that_stalls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STALL_S", 0.2)
    for steps in ([Wait()], [*words("a"), Wait()]):
        assert "has stalled" in str(await failure(steps))


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([*words("a"), Cut()], "broke off"),
        ([Cut()], "broke off"),
        ([Raw(b"data: {not json\n\n")], "no JSON"),
        ([Raw(b"data: " + b"x" * 2_000_000)], "1048576 byte limit"),
        ([Status(200, {"choices": []})], "not as a model does"),
    ],
)
async def test_what_is_no_stream_of_events_is_told_as_such(steps: list[Step], told: str) -> None:
    assert told in str(await failure(steps))


async def test_events_without_end_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_STREAM", 1000)
    assert "does not come to an end" in str(await failure(words(*"x" * 100)))


async def test_a_proxy_of_the_environment_is_for_the_cloud_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a proxy is asked for leaves the box, whatever the address in it."""
    with model_server(says("proxy")) as proxy, model_server(says("direct")) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        async with opened(server.url) as endpoint:
            await read(endpoint)
        assert (len(proxy.requests), len(server.requests)) == (0, 1)
        far = open_endpoint("far", server.url, "tiny", Place.CLOUD, None, {})
        async with aclosing(far):
            await read(far)
        assert (len(proxy.requests), len(server.requests)) == (1, 1)

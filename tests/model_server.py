"""A scripted server of models on the loopback: OpenAI's chat completions and Anthropic's messages.

It runs in a thread of its own, so that tests may wait for other processes. A script is the answers to the
requests in their order, the last of which repeats; an answer is a list of steps.
"""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

LIMIT_S = 10


@dataclass(frozen=True)
class Wait:
    """So many seconds; of `None`, until the client hangs up."""

    seconds: float | None = None


@dataclass(frozen=True)
class Status:
    """The answer is no stream."""

    code: int
    body: Any = field(default_factory=lambda: {"error": {"message": "not today"}})
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """Bytes as they are."""

    data: bytes


class Cut:
    """The connection breaks off."""


Step = Wait | Status | Raw | Cut | Mapping[str, Any]
"""A mapping is the JSON of an event."""


# ---- OpenAI's events ----------------------------------------------------------------------------


def delta(why: str | None = None, **fields: Any) -> Step:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": why}]}


def words(*texts: str) -> list[Step]:
    return [delta(content=text) for text in texts]


def says(*texts: str, why: str = "stop") -> list[Step]:
    """A whole answer of these pieces."""
    usage = {"prompt_tokens": 7, "completion_tokens": len(texts)}
    return [*words(*texts), delta(why), {"choices": [], "usage": usage}, DONE]


def calls(name: str, *pieces: str, call_id: str = "call_1") -> list[Step]:
    """A whole answer that is a call, with its arguments in these pieces."""
    first = {"index": 0, "id": call_id, "type": "function", "function": {"name": name}}
    more = [{"index": 0, "function": {"arguments": piece}} for piece in pieces]
    return [*(delta(tool_calls=[piece]) for piece in (first, *more)), delta("tool_calls"), DONE]


DONE = Raw(b"data: [DONE]\n\n")


# ---- Anthropic's events --------------------------------------------------------------------------


def block(index: int, **fields: Any) -> Step:
    return {"type": "content_block_start", "index": index, "content_block": fields}


def block_delta(index: int, kind: str, **fields: Any) -> Step:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


BEGIN: Step = {
    "type": "message_start",
    "message": {"usage": {"input_tokens": 7, "output_tokens": 1}},
}


def end(reason: str = "end_turn") -> list[Step]:
    told = {"stop_reason": reason, "stop_sequence": None}
    stop = {"type": "message_delta", "delta": told, "usage": {"output_tokens": 3}}
    return [stop, {"type": "message_stop"}]


def claude_says(*texts: str, why: str = "end_turn") -> list[Step]:
    pieces = [block_delta(0, "text_delta", text=text) for text in texts]
    stop: Step = {"type": "content_block_stop", "index": 0}
    ping: Step = {"type": "ping"}
    return [BEGIN, block(0, type="text", text=""), ping, *pieces, stop, *end(why)]


def claude_calls(name: str, *pieces: str, call_id: str = "call_1") -> list[Step]:
    parts = [block_delta(0, "input_json_delta", partial_json=piece) for piece in pieces]
    begun = block(0, type="tool_use", id=call_id, name=name, input={})
    return [BEGIN, begun, *parts, *end("tool_use")]


# ---- the server ---------------------------------------------------------------------------------


@dataclass
class ModelServer:
    """`requests` are those that came: their bodies, with the headers under "headers"."""

    answers: list[Sequence[Step]]
    content_type: str = "text/event-stream"
    port: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    hung_up: threading.Event = field(default_factory=threading.Event)
    """A client went before its answer had ended."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def connections(self) -> int:
        """From how many ports it was asked."""
        return len({request["peer"] for request in self.requests})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await _body(request)
        told = {"headers": dict(request.headers), "path": request.path, "peer": _peer(request)}
        self.requests.append({**body, **told})
        self.asked.set()
        steps = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if steps and isinstance(steps[0], Status):
            refusal = steps[0]
            text = refusal.body if isinstance(refusal.body, str) else json.dumps(refusal.body)
            return web.Response(status=refusal.code, text=text, headers=refusal.headers)
        response = web.StreamResponse(headers={"Content-Type": self.content_type})
        await response.prepare(request)
        try:
            for step in steps:
                if isinstance(step, Cut):
                    assert request.transport is not None
                    request.transport.abort()
                    return response
                await _take(step, response)
            await response.write_eof()
        except (asyncio.CancelledError, ConnectionError):
            self.hung_up.set()
            raise
        return response


async def _body(request: web.Request) -> dict[str, Any]:
    """The JSON, or the fields of a form; of a file in it, its bytes."""
    if request.content_type != "multipart/form-data":
        told: dict[str, Any] = json.loads(await request.read())
        return told
    fields = dict(await request.post())
    for name, value in fields.items():
        if isinstance(value, web.FileField):
            with value.file as file:
                fields[name] = file.read()
    return fields


async def _take(step: Step, response: web.StreamResponse) -> None:
    match step:
        case Wait(seconds):
            await asyncio.sleep(LIMIT_S if seconds is None else seconds)
        case Raw(data):
            await response.write(data)
        case Status() | Cut():
            raise AssertionError("it is no part of a stream")
        case _:
            kind = f"event: {step['type']}\n" if "type" in step else ""
            await response.write(f"{kind}data: {json.dumps(step)}\n\n".encode())


def _peer(request: web.Request) -> int:
    assert request.transport is not None
    return int(request.transport.get_extra_info("peername")[1])


@contextmanager
def model_server(
    *answers: Sequence[Step], content_type: str = "text/event-stream"
) -> Iterator[ModelServer]:
    """Listens on a free port. Leaving the block hangs up on whoever is still served."""
    server, ready = ModelServer(list(answers), content_type), threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        app = web.Application()
        app.add_routes([web.post("/{path:.*}", server.handle)])
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.port = runner.addresses[0][1]
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(LIMIT_S)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(LIMIT_S)
        loop.close()

"""A model's server over HTTP: what it streams, and what goes wrong with it, in sentences."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airos_edge import __version__
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.network import shown
from airos_edge.secret import Secret
from airos_edge.voice.ports import Place

if TYPE_CHECKING:
    import httpx2

CONNECT_S = 3.0
"""An address at which nobody answers is given up after this: the next tier is to answer in time."""
STALL_S = 15.0
"""A server that sends nothing for so long has stalled. No tier may take longer for its first words."""
IDLE_S = {Place.LOCAL: 4.0, Place.EDGE: 4.0, Place.CLOUD: 30.0}
"""How long an unused connection is kept: uvicorn, in many a small server, closes its end after 5 s; in
the cloud another TLS handshake costs more than the chance of finding it closed."""
LARGEST_STREAM = 8 * 1024 * 1024
"""Characters of events: an answer may be endless without a word in it."""
END, LAST_EVENTS = "[DONE]", ("message_stop", "transcript.text.done")
"""How it is said that nothing more comes: by OpenAI, and by the type of Anthropic's last event and that of
a transcript."""
DRAIN_S = 0.2
"""How long is waited for the end of the stream after that: a stream that was read to its end leaves its
connection for the next question."""
LARGEST_EXCUSE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is asked, and the client that keeps its connections. Make it with `open_endpoint`."""

    name: str
    """The model's, in the configuration; of an engine, where it is."""
    option: str
    """What of the configuration is about it: llm.fast, tts."""
    url: str
    model: str
    client: "httpx2.AsyncClient"
    api_key: Secret | None

    @property
    def where(self) -> str:
        """The address as it may be read by anybody."""
        return shown(self.url)

    async def events(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
        """Asks; gives the JSON of each event as it comes, until the server has said its last.

        Raises EngineError, in a sentence. Closing or cancelling it closes the connection.
        """
        async with (
            self.answer(path, json=dict(body)) as response,
            aclosing(self.events_of(response)) as events,
        ):
            async for event in events:
                yield event

    async def events_of(self, response: "httpx2.Response") -> AsyncGenerator[Any, None]:
        """The same, of an answer that is being read."""
        import httpx2

        read, source = 0, aiter(httpx2.EventSource(response))
        async for event in source:
            read += len(event.data)
            if read > LARGEST_STREAM:
                raise self.failed("does not come to an end")
            if event.data == END:
                break
            if event.data:
                told = json.loads(event.data)
                yield told
                if isinstance(told, dict) and told.get("type") in LAST_EVENTS:
                    break
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                async for _ in source:
                    pass

    @asynccontextmanager
    async def answer(self, path: str, **asked: Any) -> AsyncIterator["httpx2.Response"]:
        """The answer to a POST, to be read; `asked` as httpx2 takes it: json, or data and files.

        Raises EngineError, in a sentence, for a refusal and for what goes wrong while the block reads.
        Leaving the block closes the connection, unless all was read.
        """
        with self._translated():
            async with self.client.stream("POST", self.url + path, **asked) as response:
                if response.status_code != 200:
                    raise await self._refused(response)
                yield response

    async def told(self, path: str) -> Any:
        """The JSON of what is to be had there. Raises EngineError."""
        with self._translated():
            response = await self.client.get(self.url + path)
            if response.status_code != 200:
                raise self.failed(f"{self.where}{path}: HTTP {response.status_code}")
            return response.json()

    async def refusal(self, path: str, body: Mapping[str, Any]) -> str:
        """What the server finds wrong with what would be asked there; "" if it would take it. Raises
        EngineError where it cannot be asked."""
        with self._translated():
            response = await self.client.post(self.url + path, json=dict(body))
            return await self._excuse(response) if response.status_code == 400 else ""

    def failed(self, what: str) -> EngineError:
        return EngineError(self.name, what)

    async def aclose(self) -> None:
        await self.client.aclose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """What the libraries raise, as an EngineError."""
        import httpx2

        try:
            yield
        except httpx2.ConnectTimeout as error:
            message = f"nobody answers at {self.where} within {CONNECT_S:g} s"
            raise self.failed(message) from error
        except httpx2.ConnectError as error:
            message = f"cannot be reached at {self.where}: {error}; does its server run?"
            raise self.failed(message) from error
        except httpx2.TimeoutException as error:
            raise self.failed(f"the server at {self.where} has stalled") from error
        except httpx2.SSEError as error:
            message = (
                f"{self.where} answers, but not as a model does: {error}; look at {self.option}.url"
            )
            raise self.failed(message) from error
        except httpx2.HTTPError as error:
            raise self.failed(f"the connection to {self.where} broke off: {error}") from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise self.failed(f"{self.where} sent what is no JSON") from error

    async def _refused(self, response: "httpx2.Response") -> EngineError:
        said = f"HTTP {response.status_code}: {await self._excuse(response)}"
        option = self.option
        match response.status_code:
            case 401 | 403 if self.api_key is None:
                return self.failed(f"wants a key: give it as {option}.api_key ({said})")
            case 401 | 403:
                return self.failed(f"refuses the key of {option}.api_key ({said})")
            case 404:
                message = (
                    f"knows no model {self.model!r} at {self.where}: look at {option} ({said})"
                )
                return self.failed(message)
            case 429:
                after_s = retry_after_s(response.headers.get("retry-after", ""))
                wait = f" for {after_s:g} s" if after_s else ""
                message = f"is asked too often, or its quota is spent; it rests{wait} ({said})"
                return EngineError(self.name, message, after_s)
            case status if status >= 500:
                return self.failed(f"its server failed ({said})")
        return self.failed(f"its server refuses the question ({said})")

    async def _excuse(self, response: "httpx2.Response") -> str:
        """What the server says of its refusal, shortly, and without the key."""
        raw = b""
        async with aclosing(response.aiter_bytes()) as pieces:
            async for piece in pieces:
                raw += piece
                if len(raw) > LARGEST_EXCUSE:
                    break
        text = raw.decode(errors="replace")
        try:
            told = json.loads(text)
        except ValueError:
            told = None
        if isinstance(told, dict):
            text = complaint(told.get("error", told))
        if self.api_key is not None:
            text = text.replace(self.api_key.value, "***")
        return " ".join(text.split())[:200] or "nothing"


def open_endpoint(
    name: str,
    url: str,
    model: str,
    place: Place,
    api_key: Secret | None,
    headers: Mapping[str, str],
    option: str | None = None,
    socket: str | None = None,
) -> Endpoint:
    """`option`: as `Endpoint.option`; None: it is a model of `llm`. `socket`: the Unix socket at which it
    is, whatever the address says.

    Sends nothing. A proxy of the environment is used for the cloud only: to others it would be a detour
    that leaves the box. Raises EngineUnavailable where no client can be made.
    """
    import httpx2

    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it tells of every request
    # At a socket another connection costs nothing, while one that is kept may be found closed.
    limits = httpx2.Limits(keepalive_expiry=0.0 if socket else IDLE_S[place])
    try:
        client = httpx2.AsyncClient(
            headers={"User-Agent": f"airos-edge/{__version__}", **headers},
            timeout=httpx2.Timeout(STALL_S, connect=CONNECT_S),
            limits=limits,
            trust_env=place is Place.CLOUD,
            transport=httpx2.AsyncHTTPTransport(uds=socket, limits=limits) if socket else None,
        )
    except (OSError, ValueError) as error:  # certificates or proxies of the environment
        raise EngineUnavailable(name, str(error)) from error
    return Endpoint(name, option or f"llm.{name}", url.rstrip("/"), model, client, api_key)


def retry_after_s(header: str) -> float | None:
    """The seconds of a Retry-After header (RFC 9110, 10.2.3); a date in it is not worth the reading."""
    return float(header) if header.isascii() and header.isdigit() else None


def complaint(error: Any) -> str:
    """The sentence in an error of the OpenAI or Anthropic kind, or of something like it."""
    if isinstance(error, dict):
        return str(error.get("message") or error.get("detail") or error)
    return str(error)

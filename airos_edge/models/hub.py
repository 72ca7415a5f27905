"""The hub that models come from: where a file of a repository is, and what the hub states of it.

As huggingface_hub 2.4 has it (`file_download.get_hf_file_metadata`, `constants`): a file is at
`/<repo>/resolve/<revision>/<path>`. A large one answers with a redirect, whose X-Linked-Size is its size and
whose X-Linked-Etag its SHA-256; the ETag of a small one is git's SHA-1 of the blob; X-Repo-Commit says of
both which commit that is.

That package itself is not used for it: it compares sizes and never the SHA-256, sends no If-Range, waits for
no lock that its own cache does not know, and brings seven packages to a box without faster-whisper. What is
needed of the protocol are one address and four headers, and a plain web server does as a mirror.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urljoin

from airos_edge import __version__
from airos_edge.errors import ModelError

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")
HUB = "https://huggingface.co"
MOST_REDIRECTS = 5
SHA256 = re.compile(r"[0-9a-f]{64}")
SHA1 = re.compile(r"[0-9a-f]{40}")
BUSY = (408, 425, 429, 500, 502, 503, 504)
"""Answers after which asking again may help (RFC 9110, 15; RFC 6585; RFC 8470)."""
AS_IT_IS = {"Accept-Encoding": "identity"}
"""Compressed, a file would have another size than the hub states."""
LONG_S = 2.0
"""Who waits for longer is told why."""
WORTH = 64 * 1024
"""A try that brings so many bytes was no failure."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a hub is waited for."""

    connect_s: float = 15.0
    stall_s: float = 30.0
    """A connection over which nothing comes for so long is given up, and another goes on from there."""
    tries: int = 6
    """So many in a row that bring nothing."""
    pause_s: float = 1.0
    """Before the second try; twice as long before each one after."""
    longest_pause_s: float = 300.0
    """However long a Retry-After asks for."""

    def before(self, attempt: int, asked_s: float | None) -> float:
        """The seconds before the try of that number, of which the first is 1."""
        own_s = self.pause_s * 2.0 ** max(0, attempt - 2)
        return min(own_s if asked_s is None else asked_s, self.longest_pause_s)


@dataclass(frozen=True, slots=True)
class Stated:
    """What the hub says of a file before it sends it; None where it does not say."""

    size: int | None = None
    sha256: str | None = None
    git_sha1: str | None = None
    commit: str | None = None


class Trouble(Exception):
    """The hub did not do as asked, and may yet: another try is worth it. `costs`: as many tries as it counts.
    `host`: who it is about, whichever file is asked for; None: the file."""

    def __init__(
        self, why: str, after_s: float | None = None, costs: int = 1, host: str | None = None
    ) -> None:
        super().__init__(why)
        self.after_s = after_s
        self.costs = costs
        self.host = host


@dataclass(frozen=True, slots=True)
class Hub:
    """Get it from `open_hub`."""

    address: str
    client: "httpx2.AsyncClient"
    patience: Patience
    told: Callable[[str], None]
    """Is called with a sentence before a long wait; several files may wait for the same."""

    def url_of(self, repo: str, revision: str, path: str) -> str:
        return f"{self.address}/{repo}/resolve/{quote(revision, safe='')}/{quote(path)}"

    async def stated(self, repo: str, revision: str, path: str) -> Stated:
        """What the hub says of a file. Raises ModelError, after as many tries as its patience allows."""
        url = self.url_of(repo, revision, path)
        return await self.patiently(url, partial(self._stated, url))

    async def patiently(
        self, url: str, ask: Callable[[], Awaitable[T]], come: Callable[[], int] = lambda: 0
    ) -> T:
        """Asks until there is an answer. `come`: the bytes that have come by now: as long as there are
        more, tries are not counted. Raises ModelError when the tries are used up."""
        attempt, before = 1, come()
        while True:
            try:
                return await ask()
            except Trouble as trouble:
                if come() - before >= WORTH:
                    attempt = 1
                attempt, before = attempt + trouble.costs, come()
                said = f"{trouble.host or url}: {trouble}"
                if attempt > self.patience.tries:
                    raise ModelError(f"{said}; given up for now") from trouble
                pause_s = self.patience.before(attempt, trouble.after_s)
                if pause_s >= LONG_S:
                    self.told(f"{said}; it is asked again in {pause_s:g} s")
                await asyncio.sleep(pause_s)

    async def _stated(self, url: str) -> Stated:
        asked, commit = url, None
        for _ in range(MOST_REDIRECTS):
            with translated():
                response = await self.client.head(asked, headers=AS_IT_IS, follow_redirects=False)
            headers = response.headers
            commit = commit or _match(SHA1, headers.get("x-repo-commit", ""))
            is_said = "x-linked-size" in headers or "x-linked-etag" in headers
            if is_said or not response.has_redirect_location:
                refuse(response, url)
                tag: str = headers.get("x-linked-etag") or headers.get("etag") or ""
                size = headers.get("x-linked-size")
                if size is None and not response.has_redirect_location:
                    size = headers.get("content-length")
                tag = tag.removeprefix("W/").strip('"')
                return Stated(_number(size), _match(SHA256, tag), _match(SHA1, tag), commit)
            asked = urljoin(asked, headers["location"])
        raise ModelError(f"{url}: is redirected again and again")


@contextmanager
def translated() -> Iterator[None]:
    """What the library raises, as a Trouble, or a ModelError where trying again will not help."""
    import httpx2

    try:
        yield
    except httpx2.ConnectTimeout as error:
        raise Trouble("nobody answers there", costs=2, host=error.request.url.host) from error
    except (httpx2.ConnectError, httpx2.ProxyError) as error:
        why = f"cannot be reached ({error}); look whether this box is online"
        raise Trouble(why, costs=2, host=error.request.url.host) from error
    except httpx2.TimeoutException as error:
        raise Trouble("has stalled") from error
    except (httpx2.NetworkError, httpx2.RemoteProtocolError) as error:
        raise Trouble(f"the connection broke off: {error}") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ModelError(f"the hub cannot be asked: {error}; look at models.mirror") from error


def refuse(response: "httpx2.Response", url: str) -> None:
    """Raises Trouble or ModelError for an answer that is none."""
    status = response.status_code
    if status < 400:
        return
    if status in BUSY:
        after_s = _number(response.headers.get("retry-after"))
        wait = f", and asks to wait for {after_s} s" if after_s is not None else ""
        raise Trouble(f"is busy or broken (HTTP {status}){wait}", after_s)
    if status in (404, 410):
        raise ModelError(f"{url}: there is no such file (HTTP {status})")
    if status in (401, 403, 407):
        raise ModelError(f"{url}: wants a login, which is not given (HTTP {status})")
    raise ModelError(f"{url}: is refused (HTTP {status})")


@asynccontextmanager
async def open_hub(
    mirror: str | None = None,
    patience: Patience = Patience(),
    told: Callable[[str], None] = lambda said: None,
) -> AsyncIterator[Hub]:
    """`mirror` stands in the place of the hub's own address. Proxies and certificates are those of the
    environment. `told`: as `Hub.told`. Sends nothing. Raises ModelError where no client can be made."""
    import httpx2

    address = (mirror or HUB).rstrip("/")
    if not address.startswith(("http://", "https://")):
        raise ModelError(f"models.mirror: {address}: wants http://… or https://…")
    try:
        client = httpx2.AsyncClient(
            headers={"User-Agent": f"airos-edge/{__version__}"},
            timeout=httpx2.Timeout(patience.stall_s, connect=patience.connect_s, pool=None),
        )
    except (OSError, ValueError) as error:  # certificates or proxies of the environment
        raise ModelError(f"the hub cannot be asked: {error}") from error
    async with client:
        yield Hub(address, client, patience, told)


def _match(pattern: re.Pattern[str], text: str) -> str | None:
    return text if pattern.fullmatch(text) else None


def _number(header: str | None) -> int | None:
    """A date in Retry-After is not worth the reading: the pause is then our own."""
    return int(header) if header and header.isascii() and header.isdigit() else None

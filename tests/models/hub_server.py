"""A hub on the loopback, with a few small files, that misbehaves as it is told.

It runs in a thread of its own, so that tests may wait for other processes. As the real one, it answers for
large files with a redirect, here to a "CDN" of its own.
"""

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LIMIT_S = 10


@dataclass
class File:
    """A file of the hub, and how it is sent."""

    data: bytes
    is_large: bool = True
    """Of the kind whose SHA-256 is stated."""
    cut_after: int | None = None
    """The connection breaks off after so many bytes of an answer …"""
    cuts: int = 0
    """… so many times; -1: always."""
    stall_after: int | None = None
    """Nothing more comes after so many bytes, once."""
    ignores_ranges: bool = False
    refusals: list[tuple[int, str | None]] = field(default_factory=list)
    """Statuses of the next answers, each with its Retry-After."""
    stated_size: int | None = None
    stated_sha256: str | None = None
    then: bytes | None = None
    """What the file is after its first answer."""
    page: bytes | None = None
    """A web page that is sent in its place, with 200."""
    pace_s: float = 0.0
    """Waited before each 16 KiB."""


@dataclass
class HubServer:
    files: dict[str, File] = field(default_factory=dict)
    """By `repo/path`."""
    states_hashes: bool = True
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path, Range."""
    url: str = ""
    commit: str | None = None
    """What every answer says it is of; None: what was asked for, or COMMIT for a branch."""

    def put(self, path: str, data: bytes, **how: object) -> File:
        self.files[path] = File(data, **how)  # type: ignore[arg-type]
        return self.files[path]

    def ranges(self, path: str) -> list[str]:
        """The ranges that were asked for of a file's data."""
        return [said for method, where, said in self.requests if method == "GET" and path in where]

    # ---- the hub ----

    async def resolve(self, request: web.Request) -> web.StreamResponse:
        repo, path = request.match_info["repo"], request.match_info["path"]
        self._note(request)
        file = self.files.get(f"{repo}/{path}")
        if file is None:
            raise web.HTTPNotFound
        if not self.states_hashes:
            return await self._send(request, file)
        revision = request.match_info["revision"]
        own = COMMIT if revision == "main" else revision
        headers = {"X-Repo-Commit": self.commit or own}
        if not file.is_large:
            sha1 = hashlib.sha1(b"blob %d\0" % len(file.data) + file.data).hexdigest()
            headers["ETag"] = f'"{sha1}"'
            return await self._send(request, file, headers)
        size = len(file.data) if file.stated_size is None else file.stated_size
        headers["X-Linked-Size"] = str(size)
        stated = file.stated_sha256 or hashlib.sha256(file.data).hexdigest()
        headers["X-Linked-ETag"] = f'"{stated}"'
        headers["Location"] = f"/cdn/{repo}/{path}"
        return web.Response(status=302, headers=headers)

    async def cdn(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        repo, path = request.match_info["repo"], request.match_info["path"]
        return await self._send(request, self.files[f"{repo}/{path}"])

    def _note(self, request: web.Request) -> None:
        self.requests.append((request.method, request.path, request.headers.get("Range", "")))

    async def _send(
        self, request: web.Request, file: File, headers: dict[str, str] | None = None
    ) -> web.StreamResponse:
        if request.method == "HEAD":
            return web.Response(
                headers={**(headers or {}), "Content-Length": str(len(file.data))},
            )
        if file.refusals:
            status, after = file.refusals.pop(0)
            return web.Response(status=status, headers={"Retry-After": after} if after else {})
        if file.page is not None:
            return web.Response(body=file.page, content_type="text/html")
        data, tag = file.data, f'"{hashlib.md5(file.data).hexdigest()}"'
        begin, asked = 0, request.headers.get("Range")
        if asked and not file.ignores_ranges and request.headers.get("If-Range", tag) == tag:
            begin = int(asked.removeprefix("bytes=").rstrip("-"))
            if begin >= len(data):
                return web.Response(status=416)
        response = web.StreamResponse(status=206 if begin else 200, headers=headers)
        response.headers.setdefault("ETag", tag)
        response.content_length = len(data) - begin
        if begin:
            response.headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        if file.then is not None:
            file.data, file.then = file.then, None
        await response.prepare(request)
        await self._write(request, response, file, data[begin:])
        return response

    async def _write(
        self, request: web.Request, response: web.StreamResponse, file: File, data: bytes
    ) -> None:
        sent = 0
        for at in range(0, len(data), 16384):
            piece = data[at : at + 16384]
            if file.cut_after is not None and file.cuts and sent >= file.cut_after:
                file.cuts -= 1
                assert request.transport is not None
                request.transport.close()
                return
            if file.stall_after is not None and sent >= file.stall_after:
                file.stall_after = None
                await asyncio.sleep(LIMIT_S)
            await asyncio.sleep(file.pace_s)
            await response.write(piece)
            sent += len(piece)


@contextmanager
def hub_server() -> Iterator[HubServer]:
    hub = HubServer()
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/{repo:[^/]+/[^/]+}/resolve/{revision}/{path:.+}", hub.resolve)
        app.router.add_get("/cdn/{repo:[^/]+/[^/]+}/{path:.+}", hub.cdn)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        hub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await stop.wait()
        await runner.cleanup()

    def run() -> None:
        loop.run_until_complete(serve())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(LIMIT_S)
    try:
        yield hub
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(LIMIT_S)

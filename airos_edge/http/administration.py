"""What `airos tls` and `airos keys` ask of a daemon that runs: it has the state directory, which may be
another user's."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from aiohttp import web

from airos_edge.http import certificate
from airos_edge.http.control import body_of, with_errors
from airos_edge.http.keyring import Keyring
from airos_edge.network import own_addresses
from airos_edge.scopes import SCOPES


def administration_routes(
    state: Path, keyring: Keyring, end_sessions: Callable[[str], None]
) -> list[web.RouteDef]:
    """For the control socket only. `state`: the state directory; `end_sessions`, of the key of that name."""

    async def post_tls(request: web.Request) -> web.Response:
        asked = await body_of(request)
        made = certificate.kept_or_made(
            state, own_addresses(), asked.get("names", []), asked.get("renew", False)
        )
        return web.json_response(asdict(made))

    async def get_keys(request: web.Request) -> web.Response:
        return web.json_response({"keys": [asdict(key) for key in keyring.all()]})

    async def post_key(request: web.Request) -> web.Response:
        asked = await body_of(request)
        name, scopes = str(asked.get("name", "")), asked.get("scopes") or SCOPES
        return web.json_response({"key": keyring.add(name, scopes)})

    async def delete_key(request: web.Request) -> web.Response:
        name = request.query.get("name", "")
        keyring.revoke(name)
        end_sessions(name)
        return web.json_response({"left": len(keyring.all())})

    return [
        web.post("/api/tls", with_errors(post_tls)),
        web.get("/api/keys", with_errors(get_keys)),
        web.post("/api/keys", with_errors(post_key)),
        web.delete("/api/keys", with_errors(delete_key)),
    ]

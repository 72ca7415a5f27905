"""What `airos tls` and `airos keys` ask of a daemon that runs: it has the state directory, which may be
another user's."""

from dataclasses import asdict
from pathlib import Path

from aiohttp import web

from airos_edge.http import certificate
from airos_edge.http.control import body_of, with_errors
from airos_edge.network import own_addresses


def administration_routes(state: Path) -> list[web.RouteDef]:
    """For the control socket only. `state`: the state directory."""

    async def post_tls(request: web.Request) -> web.Response:
        asked = await body_of(request)
        made = certificate.kept_or_made(
            state, own_addresses(), asked.get("names", []), asked.get("renew", False)
        )
        return web.json_response(asdict(made))

    return [web.post("/api/tls", with_errors(post_tls))]

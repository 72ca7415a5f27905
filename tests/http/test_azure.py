"""Azure's addresses lead where OpenAI's do, and past no check."""

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from airos_edge.http.azure import as_openais, with_azures

AZURES = [
    ("/openai/v1/audio/speech", "/v1/audio/speech"),
    ("/openai/audio/speech", "/v1/audio/speech"),
    ("/openai/deployments/tts/audio/speech", "/v1/audio/speech"),
    ("/openai/v1/realtime", "/v1/realtime"),
    ("/openai/realtime", "/v1/realtime"),
]


async def _answer(request: web.Request) -> web.Response:
    return web.Response(text=as_openais(request.path))


@pytest.mark.real_time
@pytest.mark.parametrize(("azures", "openais"), AZURES)
async def test_azures_addresses_lead_where_openais_do(azures: str, openais: str) -> None:
    app = web.Application()
    app.add_routes(with_azures([web.get(openais, _answer)]))
    async with TestServer(app) as server, aiohttp.ClientSession() as client:
        for path in (azures, openais):
            async with client.get(server.make_url(path)) as answer:
                assert (answer.status, await answer.text()) == (200, openais)


async def test_what_is_not_openais_has_no_other_address() -> None:
    routes = [web.get("/metrics", _answer), web.get("/", _answer)]
    assert list(with_azures(routes)) == routes


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/models", "/metrics", "/openai", "/openais/v1/x"])
def test_any_other_path_is_as_it_is(path: str) -> None:
    assert as_openais(path) == path

"""`/v1/models`: by which names a client may ask for what."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from airos_edge.errors import ProtocolError
from airos_edge.http.openai_form import answering


def model_routes(names: Callable[[], Sequence[str]]) -> list[web.RouteDef]:
    """Of the names as they are by then. Names of OpenAI's that are taken for ours (`whisper-1`, `tts-1`,
    `gpt-realtime`) are not among them: what is listed is what there is."""
    since = int(time.time())

    def described(name: str) -> Mapping[str, Any]:
        return {"id": name, "object": "model", "created": since, "owned_by": "airos"}

    async def get_models(request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [described(name) for name in names()]})

    async def get_model(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in names():
            message = f"The model '{name}' does not exist here; it has {', '.join(names())}."
            raise ProtocolError(message, code="model_not_found", param="model")
        return web.json_response(described(name))

    return [
        web.get("/v1/models", answering(get_models)),
        web.get("/v1/models/{name:.+}", answering(get_model)),
    ]

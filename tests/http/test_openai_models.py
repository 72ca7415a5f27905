"""`/v1/models`: what is listed is what there is, by then."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from openai.types import Model

from airos_edge.http.openai_models import model_routes

pytestmark = pytest.mark.real_time


async def test_models_are_listed_as_they_are_by_then_and_others_are_unknown() -> None:
    names = ["airos", "hub/qwen:3"]
    app = web.Application()
    app.add_routes(model_routes(lambda: names))
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        found = await (await client.get("/v1/models")).json()
        assert found["object"] == "list"
        assert [Model.model_validate(model).id for model in found["data"]] == names
        one = await (await client.get("/v1/models/hub/qwen:3")).json()
        assert one == found["data"][1]
        names.append("fast")
        assert (await client.get("/v1/models/fast")).status == 200
        unknown = await client.get("/v1/models/gpt-realtime")
        assert unknown.status == 404
        error = (await unknown.json())["error"]
        assert (error["code"], error["param"]) == ("model_not_found", "model")
        assert "it has airos, hub/qwen:3, fast" in error["message"]

"""Azure's addresses of the same API: its clients cannot be told to leave them out.

`/openai/v1/...` is today's; before it, `/openai/...` and `/openai/deployments/NAME/...`, with an `api-version`.
https://learn.microsoft.com/azure/ai-foundry/openai/reference
"""

import re
from collections.abc import Iterable, Iterator

from aiohttp import web

_OPENAIS = "/v1/"
_AZURES = ("/openai/v1/", "/openai/deployments/{deployment}/", "/openai/")
_OF_AZURE = re.compile(r"/openai/(v1/|deployments/[^/]+/)?")


def with_azures(routes: Iterable[web.RouteDef]) -> Iterator[web.RouteDef]:
    """The routes, and those of OpenAI's API where Azure has them as well."""
    for route in routes:
        yield route
        if route.path.startswith(_OPENAIS):
            rest = route.path.removeprefix(_OPENAIS)
            for start in _AZURES:
                yield web.RouteDef(route.method, start + rest, route.handler, route.kwargs)


def as_openais(path: str) -> str:
    """A path of Azure's as OpenAI has it; any other as it is. Whatever is decided by path must go by this."""
    return _OF_AZURE.sub(_OPENAIS, path, count=1) if path.startswith("/openai/") else path

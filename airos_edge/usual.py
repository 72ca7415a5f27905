"""What the box says most often, made before anybody asks: its voice then says it at once."""

import logging
from collections.abc import Iterator

from airos_edge.box import Box
from airos_edge.errors import EngineError
from airos_edge.health import PartsRenewed
from airos_edge.languages.phrases import phrases

log = logging.getLogger(__name__)

MOST = 100
"""Answers. A voice that is as slow as it is allowed to be makes so many in some minutes."""


async def make_usual_answers(box: Box) -> None:
    """Makes them now, and those that are new whenever the box has other parts. Never ends."""
    with box.hub.watch(1, PartsRenewed) as watch:
        while True:
            try:
                await box.make_ahead(list(usual(box))[:MOST])
            except EngineError as error:
                log.info("Not all usual answers were made ahead: %s", error)
            await anext(watch)


def usual(box: Box) -> Iterator[str]:
    says = phrases(box.language)
    yield from (says.not_heard, says.no_command, says.apology)
    yield from box.usual_answers()
    yield from (says.not_from_there, says.still_there)

"""Work beside the replies that the history shows: tools that are listed, a call that was allowed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from airos_edge.voice import events
from airos_edge.voice.history import Item
from airos_edge.voice.session import Session


@contextmanager
def working_at(session: Session, item: Item) -> Iterator[Callable[..., None]]:
    """Puts the item at the end of the history, and takes what becomes of it when it is done: `done(**fields)`.

    Work that is broken off ends with the item as it was, "incomplete". Raises DuplicateItem.
    """
    previous_id = session.history.add(item)
    session.tell(events.WorkStarted(item=item, previous_id=previous_id))
    ended = replace(item, status="incomplete")

    def done(**fields: Any) -> None:
        nonlocal ended
        ended = replace(ended, **{"status": "completed", **fields})

    try:
        yield done
    finally:
        if item.id in session.history:
            session.history.put(ended)
        session.tell(events.WorkEnded(item=ended, previous_id=previous_id))

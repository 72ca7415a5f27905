"""What holds for every stream of events that a session tells, whatever happens in it."""

from airos_edge.voice import events
from airos_edge.voice.events import Event


def keeps_the_laws(told: list[Event]) -> None:
    """Raises AssertionError, naming the law, for the whole stream of a session that has ended."""
    one_session(told)
    utterances_open_one_at_a_time(told)
    questions_are_known_before_their_words(told)
    items_follow_items_that_are_there(told)
    one_reply_at_a_time(told)
    for started in told:
        if isinstance(started, events.ReplyStarted):
            reply = [event for event in told if getattr(event, "reply_id", "") == started.reply_id]
            a_reply_begins_and_ends_once(reply)
            items_of_a_reply_begin_and_end_once(reply)


def one_session(told: list[Event]) -> None:
    assert len({event.session_id for event in told}) <= 1


def utterances_open_one_at_a_time(told: list[Event]) -> None:
    is_open = None
    for event in told:
        if isinstance(event, events.SpeechStarted):
            assert is_open is None, f"{event.item_id} started before {is_open} stopped"
            is_open = event.item_id
        elif isinstance(event, events.SpeechStopped):
            assert is_open == event.item_id, f"{event.item_id} stopped, open is {is_open}"
            is_open = None
        elif isinstance(event, events.SpeechPaused | events.SpeechResumed):
            assert is_open == event.item_id


def questions_are_known_before_their_words(told: list[Event]) -> None:
    questions: dict[str, bool] = {}
    for event in told:
        if isinstance(event, events.QuestionEnded):
            questions[event.item.id] = False
        elif isinstance(event, events.Transcribed | events.TranscriptionFailed):
            assert questions.get(event.item_id) is False, f"{event.item_id} is no open question"
            questions[event.item_id] = True


def items_follow_items_that_are_there(told: list[Event]) -> None:
    there: set[str | None] = {None}
    for event in told:
        if isinstance(event, events.ItemAdded | events.ItemStarted):
            if isinstance(event, events.ItemStarted) and event.apart:
                continue
            assert event.previous_id in there, f"{event.item.id} follows {event.previous_id}"
            assert event.item.id not in there, f"{event.item.id} was added twice"
            there.add(event.item.id)
        elif isinstance(event, events.ItemDeleted):
            there.remove(event.item_id)


def one_reply_at_a_time(told: list[Event]) -> None:
    active = None
    for event in told:
        if isinstance(event, events.ReplyStarted) and not event.apart:
            assert active is None, f"{event.reply_id} started before {active} ended"
            active = event.reply_id
        elif isinstance(event, events.ReplyEnded) and not event.apart:
            assert active == event.reply_id, f"{event.reply_id} ended, active is {active}"
            active = None


def a_reply_begins_and_ends_once(reply: list[Event]) -> None:
    kinds = [type(event) for event in reply]
    assert kinds.count(events.ReplyStarted) == kinds.count(events.ReplyEnded) == 1
    assert (kinds[0], kinds[-1]) == (events.ReplyStarted, events.ReplyEnded)


def items_of_a_reply_begin_and_end_once(reply: list[Event]) -> None:
    """In their order, one at a time, their texts the sum of what was told."""
    index, text, is_open = -1, "", False
    items = []
    for event in reply:
        if isinstance(event, events.ItemStarted):
            index, text, is_open = index + 1, event.item.text or "", True
            assert event.output_index == index
        elif isinstance(event, events.TextSaid):
            assert is_open
            assert event.output_index == index
            text += event.text
        elif isinstance(event, events.ItemEnded):
            assert is_open
            assert (event.output_index, event.item.text or "") == (index, text)
            is_open = False
            items.append(event.item)
    assert not is_open
    ended = reply[-1]
    assert isinstance(ended, events.ReplyEnded)
    assert ended.outcome.items == tuple(items)

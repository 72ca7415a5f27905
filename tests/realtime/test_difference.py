"""What counts as another answer, and what is set aside."""

from typing import Any

from airos_edge.realtime.difference import differences

Json = dict[str, Any]


def answer(number: int, deltas: int = 2, status: str = "completed", text: str = "Hi") -> list[Json]:
    """A response, with ids of its own."""
    response_id, item_id = f"resp_{number}", f"item_{number}"
    place = {"response_id": response_id, "item_id": item_id, "output_index": 0}
    delta = {"type": "response.output_text.delta", **place, "delta": "H", "event_id": "event_1"}
    item = {"id": item_id, "type": "message", "content": [{"type": "output_text", "text": text}]}
    return [
        {"type": "response.created", "response": {"id": response_id, "status": "in_progress"}},
        {"type": "response.output_item.added", "response_id": response_id, "item": {"id": item_id}},
        *[delta] * deltas,
        {
            "type": "response.done",
            "response": {"id": response_id, "status": status, "output": [item], "usage": {"n": 1}},
        },
    ]


def words(number: int) -> Json:
    kind = "conversation.item.input_audio_transcription.completed"
    return {"type": kind, "item_id": f"item_{number}", "transcript": "hello"}


def test_ids_times_and_how_many_deltas_are_set_aside() -> None:
    assert differences(answer(1), answer(7, deltas=5)) == []
    started = {"type": "input_audio_buffer.speech_started", "item_id": "item_1"}
    once, again = {**started, "audio_start_ms": 80}, {**started, "audio_start_ms": 96}
    assert differences([once], [again]) == []


def test_what_was_said_counts_only_where_it_is_wanted() -> None:
    assert differences(answer(1), answer(1, text="Hello")) == []
    (_, told) = differences(answer(1), answer(1, text="Hello"), with_texts=True)
    assert told.strip() == (
        'response.done: response.output[0].content[0].text was "Hi", is "Hello"'
    )


def test_another_status_is_told_by_its_path() -> None:
    head, told = differences(answer(1), answer(2, status="failed"))
    assert head == "response <response.created.id 1>:"
    assert told == '  response.done: response.status was "completed", is "failed"'


def test_what_is_missing_and_what_is_more_is_told() -> None:
    once, twice = answer(1), [*answer(2), answer(2)[-1]]
    assert differences(once, twice)[1] == "  + response.done"
    assert differences(twice, once)[1] == "  - response.done"


def test_order_counts_within_a_response() -> None:
    created, added, *rest = answer(1)
    assert differences(answer(1), [added, created, *rest])


def test_order_does_not_count_between_a_transcript_and_an_answer() -> None:
    assert differences([words(1), *answer(2)], [*answer(2), words(1)]) == []


def test_an_id_that_stands_for_something_else_counts() -> None:
    first = {"type": "conversation.item.added", "item": {"id": "item_1"}, "previous_item_id": None}
    second = {"type": "conversation.item.added", "item": {"id": "item_2"}}
    after = [first, {**second, "previous_item_id": "item_1"}]
    alone = [first, {**second, "previous_item_id": None}]
    assert differences(after, after) == []
    assert "previous_item_id was" in differences(after, alone)[1]


def test_an_id_within_a_sentence_is_no_difference() -> None:
    def told(item_id: str) -> list[Json]:
        error = {"message": f"Item '{item_id}' has gone.", "code": "item_not_found"}
        added = {"type": "conversation.item.added", "item": {"id": item_id}}
        return [added, {"type": "error", "error": error}]

    assert differences(told("item_abcdefg"), told("item_hijklmn")) == []


def test_a_server_that_keeps_to_no_api_is_told_apart_all_the_same() -> None:
    odd = [
        {"type": "response.done", "response": "none"},
        {"type": "some.delta", "item_id": {"a": 1}, "item": [1]},
        {"type": "conversation.item.done", "item": {"id": ["a"]}},
    ]
    assert differences(odd, odd) == []
    assert differences(answer(1), odd) != []

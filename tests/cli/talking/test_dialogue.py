"""What a user is shown of a conversation, and what is sent because of it."""

import asyncio
import base64
import io
from typing import Any

import pytest

from airos_edge.cli.talking.dialogue import Dialogue, Event
from airos_edge.cli.talking.player import BYTES_PER_S, Player
from airos_edge.cli.talking.screen import Screen
from airos_edge.errors import DaemonError

SECOND = base64.b64encode(bytes(BYTES_PER_S)).decode()
WORDS = "conversation.item.input_audio_transcription"


class Talk:
    """A dialogue whose clock is moved by the test; `sent` is what it wanted to be sent."""

    def __init__(self) -> None:
        self.now = 100.0
        self.out = io.StringIO()
        self.player = Player(None, lambda: self.now)
        self.dialogue = Dialogue(Screen(self.out), self.player, lambda: self.now)
        self.sent: list[Event] = []

    def take(self, kind: str, **fields: Any) -> None:
        self.sent += self.dialogue.take({"type": kind, "event_id": "event_1", **fields})

    def answer(self, text: str = "Done.", status: str = "completed", **details: Any) -> None:
        self.take("response.created", response={"id": "resp_1"})
        self.take("response.output_audio_transcript.delta", item_id="item_2", delta=text)
        self.take("response.output_audio.delta", item_id="item_2", delta=SECOND)
        self.take(
            "response.done",
            response={"id": "resp_1", "status": status, "status_details": details or None},
        )

    @property
    def shown(self) -> list[str]:
        return self.out.getvalue().splitlines()


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_both_sides_are_shown_as_their_words_come(talk: Talk) -> None:
    talk.take(f"{WORDS}.delta", item_id="item_1", delta="turn it")
    assert talk.shown == ["You      turn it"]
    talk.take(f"{WORDS}.delta", item_id="item_1", delta=" on")
    talk.take(f"{WORDS}.completed", item_id="item_1", transcript="turn it on")
    talk.answer()
    assert talk.shown == ["You      turn it on", "Airos    Done."]


def test_a_transcript_that_comes_whole_or_late_has_a_line_of_its_own(talk: Talk) -> None:
    talk.take("response.created", response={"id": "resp_1"})
    talk.take("response.output_text.delta", item_id="item_2", delta="It is ")
    talk.take(f"{WORDS}.completed", item_id="item_1", transcript="what is it")
    talk.take("response.output_text.delta", item_id="item_2", delta="ten.")
    assert talk.shown == ["Airos    It is ", "You      what is it", "Airos    ten."]


def test_what_was_not_understood_is_said(talk: Talk) -> None:
    talk.take(f"{WORDS}.completed", item_id="item_1", transcript="")
    talk.take(f"{WORDS}.failed", item_id="item_2", error={"message": "no recogniser"})
    assert talk.shown[0] == "You      (nothing that was understood)"
    assert talk.shown[1].strip() == "(not understood: no recogniser)"


def test_times_are_counted_from_where_the_speech_ended(talk: Talk) -> None:
    talk.dialogue.sent_ms = 2500
    talk.take("input_audio_buffer.speech_started", item_id="item_1", audio_start_ms=100)
    assert talk.dialogue.is_spoken_to
    talk.take("input_audio_buffer.speech_stopped", item_id="item_1", audio_end_ms=2400)
    assert not talk.dialogue.is_spoken_to
    talk.now += 0.05
    talk.answer()
    assert talk.shown[-1].strip() == (
        "(ms since the question ended: first sound or word 150 · done 150)"
    )


def test_speech_over_an_answer_silences_it_and_says_what_was_heard(talk: Talk) -> None:
    talk.answer()
    talk.now += 0.3
    talk.take("input_audio_buffer.speech_started", item_id="item_3", audio_start_ms=100)
    assert talk.sent == [
        {
            "type": "conversation.item.truncate",
            "item_id": "item_2",
            "content_index": 0,
            "audio_end_ms": 300,
        }
    ]
    assert talk.dialogue.interrupt() == []


def test_enter_cancels_what_is_still_made(talk: Talk) -> None:
    talk.take("response.created", response={"id": "resp_1"})
    talk.take("response.output_audio.delta", item_id="item_2", delta=SECOND)
    kinds = [event["type"] for event in talk.dialogue.interrupt()]
    assert kinds == ["response.cancel", "conversation.item.truncate"]


def test_how_an_answer_ended_otherwise_is_said(talk: Talk) -> None:
    talk.answer(status="cancelled", type="cancelled", reason="turn_detected")
    assert talk.shown[-1].strip() == "(cancelled: turn_detected)"
    talk.answer(status="failed", type="failed", error={"message": "espeak: broke"})
    assert talk.shown[-1].strip() == "(it failed: espeak: broke)"
    talk.take("error", error={"message": "no such thing"})
    assert talk.shown[-1].strip() == "(the server says: no such thing)"


@pytest.mark.parametrize("is_approved", [True, False])
def test_a_call_that_waits_for_a_yes_is_asked_for_once_and_decided(
    talk: Talk, is_approved: bool
) -> None:
    call = {
        "id": "item_4",
        "type": "mcp_approval_request",
        "server_label": "notes",
        "name": "write",
        "arguments": '{"text": "milk"}',
    }
    talk.take("response.created", response={"id": "resp_1"})
    for kind in ("conversation.item.done", "response.output_item.done"):
        talk.take(kind, item=call, response_id="resp_1")
    talk.take("response.done", response={"id": "resp_1", "status": "completed"})
    assert talk.shown[-1].strip() == (
        'Airos wants to use write of notes, with {"text": "milk"}. Let it? [y/n]'
    )
    create, respond = talk.dialogue.approve(is_approved)
    assert create["item"] == {
        "type": "mcp_approval_response",
        "approval_request_id": "item_4",
        "approve": is_approved,
    }
    assert respond == {"type": "response.create"}
    assert not talk.dialogue.approvals


def test_a_call_of_a_tool_is_shown_once(talk: Talk) -> None:
    call = {"id": "item_4", "type": "mcp_call", "name": "read", "arguments": "{}"}
    for kind in ("conversation.item.done", "response.output_item.done"):
        talk.take(kind, item=call, response_id="resp_1")
    assert [line.strip() for line in talk.shown] == ["(calls read with {})"]


def test_an_event_of_another_kind_or_sound_that_is_none_changes_nothing(talk: Talk) -> None:
    talk.take("rate_limits.updated", rate_limits=[])
    talk.take("response.output_audio.delta", item_id="item_2", delta="?")
    assert talk.shown == []
    assert not talk.player.is_playing


async def test_it_can_be_waited_for_but_not_for_ever(talk: Talk) -> None:
    dialogue = talk.dialogue
    waiting = asyncio.create_task(dialogue.until(lambda: dialogue.is_answered(0), 60))
    await asyncio.sleep(1)
    talk.answer()
    assert await waiting
    assert not await dialogue.until(lambda: dialogue.is_answered(1), 60)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("response.created", {}),
        ("response.created", {"response": None}),
        ("response.done", {"response": {"id": ["resp_1"]}}),
        ("response.output_audio.delta", {"item_id": "item_1", "delta": 5}),
        ("conversation.item.done", {"item": "none"}),
        ("input_audio_buffer.speech_stopped", {"audio_end_ms": None}),
        ("error", {"error": "no object"}),
    ],
)
def test_a_server_that_keeps_to_no_api_is_named_for_it(
    talk: Talk, kind: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(DaemonError, match=kind):
        talk.take(kind, **fields)


def test_half_a_sample_is_no_sound(talk: Talk) -> None:
    half = base64.b64encode(bytes(5)).decode()
    talk.take("response.output_audio.delta", item_id="item_1", delta=half)
    talk.take("response.output_audio.delta", item_id="item_1", delta=half)
    talk.now += 1
    assert len(talk.player.wav()) == 44 + 8

"""How long someone waits for an answer, and for it to stop."""

import asyncio
import time
from functools import partial
from typing import Any

from bench import speech
from bench.client import Talk, connected, stream
from bench.daemon import daemon, server
from bench.figures import Figure

MODES: dict[str, tuple[dict[str, Any], int]] = {
    # What ends a question, and the silence that it asks for once a command is complete.
    "server_vad 200": ({"type": "server_vad", "silence_duration_ms": 200}, 200),
    "server_vad 500": ({"type": "server_vad"}, 500),
    "semantic_vad": ({"type": "semantic_vad"}, 100),
}
TARGETS_MS = {"semantic_vad": 250}
"""As fast as a person answers; the others do as they are told."""
ANSWER_LIMIT_S = 4.0
GRID_MS = 32
"""The longest step in which the daemon takes in audio; turns begin at every phase of it."""
LEAD_IN_MS = 300


# ---- to the answer ------------------------------------------------------------------------------


async def answers(quick: bool) -> list[Figure]:
    """From the last sound of a command to the first sound of its answer.

    A recording's last sound is the last sample within 40 dB of its peak. A frame is sent when its
    last sample was said, as a microphone would, so half a frame of waiting is in the figure.
    """
    rounds = 2 if quick else 14
    asked = speech.questions()
    values: dict[str, list[float]] = {mode: [] for mode in MODES}
    wrong: dict[str, list[str]] = {mode: [] for mode in MODES}
    with daemon() as box:
        box.wait_until_ready()
        async with connected(box.url) as talk:  # the first turn loads, and is not counted
            await talk.configure(type="server_vad")
            await take_turn(talk, asked[0], 0)
        for turn in range(rounds):
            for mode, (turn_detection, _) in MODES.items():
                async with connected(box.url) as talk:
                    await talk.configure(**turn_detection)
                    took = await take_turn(talk, asked[turn % len(asked)], turn * 7 % GRID_MS)
                    if isinstance(took, float):
                        values[mode].append(took)
                    else:
                        wrong[mode].append(took)
    return [
        Figure(
            f"end of speech to answer, {mode}",
            "ms",
            values[mode],
            [hold],
            "the hold",
            TARGETS_MS.get(mode),
            wrong[mode],
        )
        for mode, (_, hold) in MODES.items()
    ]


async def take_turn(talk: Talk, asked: speech.Question, phase_ms: int = 0) -> float | str:
    """Milliseconds to the answer, or what went wrong."""
    before_ms = LEAD_IN_MS + phase_ms
    played = asked.played(before_ms, after_ms=ANSWER_LIMIT_S * 1000)
    began = await stream(
        list(speech.frames(played)), talk.socket, until=lambda: talk.first_sound() is not None
    )
    answered = talk.first_sound()
    said = talk.first("conversation.item.input_audio_transcription.completed")
    transcript = said[1]["transcript"] if said else ""
    if answered is None:
        return f"{asked.text!r} was heard as {transcript!r} and not answered aloud"
    await asyncio.sleep(0.1)  # for the words of what was said until now
    await talk.cancel()
    words = [event["delta"] for _, event in talk.all("response.output_audio_transcript.delta")]
    answer = "".join(words)
    took_ms = (answered - began) * 1000 - before_ms - asked.ms
    if transcript != asked.text or not answer.startswith(asked.answer) or took_ms < 0:
        return f"{asked.text!r} was heard as {transcript!r} and answered {answer!r}"
    return took_ms


# ---- what the daemon adds -----------------------------------------------------------------------

LOUD, QUIET = (speech.append(sample * speech.FRAME_SAMPLES) for sample in (b"\x00\x40", bytes(2)))
LOUD_FRAMES, QUIET_FRAMES = 8, 10


async def overhead(quick: bool) -> list[Figure]:
    """From sending the frame that ends a question to the first audio, with engines that cost nothing.

    The floor is a frame that a WebSocket gives back, at the same pace, between the turns.
    """
    values, floor, wrong = [], [], []
    with server() as (_, port):
        url = f"ws://127.0.0.1:{port}"
        async with connected(f"{url}/v1/realtime") as talk, connected(f"{url}/echo") as echo:
            await talk.configure(type="server_vad", silence_duration_ms=QUIET_FRAMES * 20)
            for turn in range(-2, 10 if quick else 60):  # the first two load
                talk.heard.clear()
                frames = [LOUD] * LOUD_FRAMES + [QUIET] * (QUIET_FRAMES - 1)
                await stream(frames, talk.socket)
                early = talk.first("input_audio_buffer.committed") is not None
                took_ms = await _one_frame(talk, "response.output_audio.delta")
                await talk.until("response.done")
                back_ms = await _echoed(echo)
                if early:
                    wrong.append("the question was closed by another frame")
                elif turn >= 0:
                    values.append(took_ms)
                    floor.append(back_ms)
    name = "what the daemon adds, engines of zero cost"
    return [Figure(name, "ms", values, floor, "echo", 5, wrong)]


async def _one_frame(talk: Talk, answer: str) -> float:
    """A quiet frame, when it is due, and the milliseconds to the first such event."""
    await asyncio.sleep(speech.FRAME_MS / 1000)
    sent = time.perf_counter()
    await talk.socket.send_str(QUIET)
    arrived, _ = await talk.until(answer)
    return (arrived - sent) * 1000


async def _echoed(talk: Talk) -> float:
    await stream([QUIET] * 3, talk.socket)
    await asyncio.sleep(speech.FRAME_MS / 1000)
    talk.heard.clear()
    return await _one_frame(talk, "input_audio_buffer.append")


# ---- talking over an answer ---------------------------------------------------------------------

LONG_QUESTION = "are all the lights on"
LISTENED_MS = 600


async def barge_in(quick: bool) -> list[Figure]:
    """From the first sound over a long answer to its last audio, and to its end."""
    silenced, ended, wrong = [], [], []
    asked = speech.questions()
    with daemon() as box:
        box.wait_until_ready()
        for turn in range(3 if quick else 16):
            async with connected(box.url) as talk:
                await talk.configure(type="server_vad")
                await talk.ask(LONG_QUESTION)
                await talk.until("response.output_audio.delta")
                over = asked[turn % len(asked)]
                listened_ms = LISTENED_MS + turn * 7 % GRID_MS
                frames = list(speech.frames(over.played(listened_ms, after_ms=6000)))
                began = await stream(frames, talk.socket, until=partial(_is_over, talk))
                onset = began + listened_ms / 1000
                last_audio = talk.all("response.output_audio.delta")[-1][0]
                done, event = await talk.until("response.done")
                if event["response"]["status"] == "cancelled":
                    silenced.append((last_audio - onset) * 1000)
                    ended.append((done - onset) * 1000)
                else:
                    wrong.append(f"{over.text!r} did not interrupt the answer")
    return [
        Figure("barge-in: onset to the last audio", "ms", silenced, wrong=wrong),
        Figure("barge-in: onset to the reply cancelled", "ms", ended, wrong=wrong),
    ]


def _is_over(talk: Talk) -> bool:
    return talk.first("response.done") is not None

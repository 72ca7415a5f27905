"""How long someone waits for an answer, and for it to stop."""

import asyncio
import time
from functools import partial
from typing import Any

from bench import speech
from bench.client import Talk, connected, stream
from bench.daemon import daemon, server
from bench.figures import Figure

MODES: dict[str, tuple[int, float | None, dict[str, Any]]] = {
    # The silence it asks for once a command is complete, the target, and what asks for it. A person
    # answers within 250 ms; server_vad does as it is told.
    "server_vad 200": (200, None, {"type": "server_vad", "silence_duration_ms": 200}),
    "server_vad 500": (500, None, {"type": "server_vad"}),
    "semantic_vad": (100, 250, {"type": "semantic_vad"}),
}
BEFORE_MS, AFTER_MS = 300, 4000
GRID_MS = 32
"""The longest step in which the daemon takes in audio; turns begin at every phase of it."""


async def answers(quick: bool) -> list[Figure]:
    """From the last sound of a command to the first sound of its answer.

    A recording's last sound is the last sample within 40 dB of its peak. A frame is sent when its
    last sample was said, as a microphone would, so half a frame of waiting is in the figure.
    """
    asked = speech.questions()
    values: dict[str, list[float]] = {mode: [] for mode in MODES}
    wrong: dict[str, list[str]] = {mode: [] for mode in MODES}
    with daemon() as box:
        box.ask()
        for turn in range(-1, 2 if quick else 14):  # the first loads
            for mode, (_, _, detection) in MODES.items():
                async with connected(box.url, **detection) as talk:
                    took = await take_turn(talk, asked[turn % len(asked)], turn * 7 % GRID_MS)
                if turn >= 0 and isinstance(took, float):
                    values[mode].append(took)
                elif turn >= 0:
                    wrong[mode].append(str(took))
    return [
        Figure(
            f"end of speech to answer, {mode}",
            *("ms", values[mode], [hold], "the hold", target, wrong[mode]),
        )
        for mode, (hold, target, _) in MODES.items()
    ]


async def take_turn(talk: Talk, asked: speech.Question, phase_ms: int = 0) -> float | str:
    """Milliseconds to the answer, which is cut off then; or what went wrong."""
    frames = list(speech.frames(asked.played(BEFORE_MS + phase_ms, AFTER_MS)))
    began = await stream(frames, talk, until=talk.first_sound)
    answered = talk.first_sound()
    said = talk.first("conversation.item.input_audio_transcription.completed")
    transcript = said[1]["transcript"] if said else ""
    if answered is None:
        return f"{asked.text!r} was heard as {transcript!r} and not answered aloud"
    await asyncio.sleep(0.1)  # for the words of what was said until now
    await talk.send("response.cancel")
    await talk.until("response.done")
    words = [event["delta"] for _, event in talk.all("response.output_audio_transcript.delta")]
    answer = "".join(words)
    took_ms = (answered - began) * 1000 - BEFORE_MS - phase_ms - asked.ms
    if transcript != asked.text or not answer.startswith(asked.answer) or took_ms < 0:
        return f"{asked.text!r} was heard as {transcript!r} and answered {answer!r}"
    return took_ms


LOUD, QUIET = (speech.append(sample * speech.FRAME_SAMPLES) for sample in (b"\x00\x40", bytes(2)))
LOUD_FRAMES, QUIET_FRAMES = 8, 10


async def overhead(quick: bool) -> list[Figure]:
    """From sending the frame that ends a question to the first audio, with engines that cost nothing.

    The floor is a frame that a WebSocket gives back, at the same pace, between the turns.
    """
    values, floor, wrong = [], [], []
    detection = {"type": "server_vad", "silence_duration_ms": QUIET_FRAMES * speech.FRAME_MS}
    with server() as (_, url):
        async with connected(f"{url}/v1", **detection) as talk, connected(f"{url}/echo") as echo:
            for turn in range(-2, 10 if quick else 60):  # the first two load
                frames = [LOUD] * LOUD_FRAMES + [QUIET] * (QUIET_FRAMES - 1)
                took_ms = await _last_frame(talk, frames, "response.output_audio.delta")
                early = talk.first("input_audio_buffer.committed") is None
                await talk.until("response.done")
                back_ms = await _last_frame(echo, [QUIET] * 3, "input_audio_buffer.append")
                if early:
                    wrong.append("the question was closed by another frame")
                elif turn >= 0:
                    values.append(took_ms)
                    floor.append(back_ms)
    name = "what the daemon adds, engines of zero cost"
    return [Figure(name, "ms", values, floor, "echo", 5, wrong)]


async def _last_frame(talk: Talk, frames: list[str], answer: str) -> float:
    """Sends the frames and a quiet one; gives the milliseconds from that to the answer to it."""
    await stream(frames, talk)
    await asyncio.sleep(speech.FRAME_MS / 1000)
    talk.heard.clear()
    sent = time.perf_counter()
    await talk.socket.send_str(QUIET)
    arrived, _ = await talk.until(answer)
    return (arrived - sent) * 1000


LONG_QUESTION = "are all the lights on"
"""Answered by the names of lights, for some six seconds."""
LISTENED_MS = 600


async def barge_in(quick: bool) -> list[Figure]:
    """From the first sound over a long answer to its last audio, and to its end."""
    silenced, ended, wrong = [], [], []
    asked = speech.questions()
    part = {"type": "input_text", "text": LONG_QUESTION}
    item = {"type": "message", "role": "user", "content": [part]}
    with daemon() as box:
        box.ask()
        for turn in range(3 if quick else 16):
            async with connected(box.url, type="server_vad") as talk:
                await talk.send("conversation.item.create", item=item)
                await talk.send("response.create")
                await talk.until("response.output_audio.delta")
                over, before_ms = asked[turn % len(asked)], LISTENED_MS + turn * 7 % GRID_MS
                frames = list(speech.frames(over.played(before_ms, 6000)))
                began = await stream(frames, talk, until=partial(talk.first, "response.done"))
                onset = began + before_ms / 1000
                done, event = await talk.until("response.done")
                if event["response"]["status"] == "cancelled":
                    last_audio = talk.all("response.output_audio.delta")[-1][0]
                    silenced.append((last_audio - onset) * 1000)
                    ended.append((done - onset) * 1000)
                else:
                    wrong.append(f"{over.text!r} did not interrupt the answer")
    return [
        Figure("barge-in: onset to the last audio", "ms", silenced, wrong=wrong),
        Figure("barge-in: onset to the reply cancelled", "ms", ended),
    ]

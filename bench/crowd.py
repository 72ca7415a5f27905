"""Many clients at once: what one that only listens takes, and how many may speak before all wait longer."""

import asyncio
import base64
import json

import numpy as np

from bench import line, speech
from bench.client import AUDIBLE, connected
from bench.daemon import busy_s, daemon, open_files, pss_mb, waited_s
from bench.figures import Figure, p95
from bench.latency import take_turn

FIRST, IDLE = 40, 200
"""What the first ones make grow for good is not theirs. All of them are as many as one client may have."""
TURN_S = 7.0
"""Someone says a command so often, as in the conversations that other servers were measured with."""
TURNS = 4
BEFORE_MS = 300
RUNGS, WANTED = (8, 16, 24, 32, 48, 80), 80
DELTA = b"response.output_audio.delta"
SEMANTIC = {
    "type": "realtime",
    "audio": {
        "input": {
            "turn_detection": {"type": "semantic_vad"},
            "transcription": {"model": "whisper-1"},
        }
    },
}


async def idle_sessions(quick: bool) -> list[Figure]:
    """Memory and open files of a session that was greeted and heard a second of silence, over 200 of
    them; and whether a turn among them takes longer."""
    second = [line.framed(frame) for frame in speech.frames(speech.noise(1000))]
    asked = speech.questions()[:4]
    alone, among = list[float](), list[float]()
    with daemon() as box:
        box.ask()
        pid = box.process.pid

        async def turns() -> list[float]:
            took = []
            for place in range(3 if quick else 12):
                async with connected(box.url, type="server_vad", silence_duration_ms=200) as talk:
                    took.append(await take_turn(talk, asked[place % len(asked)], place * 7 % 32))
            return [each for each in took if isinstance(each, float)]

        alone += await turns()
        lines, memory, files = list[line.Line](), list[float](), list[int]()
        for count in (FIRST, IDLE):
            memory.append(pss_mb(pid))
            files.append(open_files(pid))
            for _ in range(count):
                each = await line.connect(box.url, lambda _: None)
                lines.append(each)
                for frame in second:
                    each.transport.write(frame)
            await asyncio.sleep(5)
        memory.append(pss_mb(pid))
        files.append(open_files(pid))
        among += await turns()
        await line.close(lines)
    taken = [(memory[2] - memory[1]) / IDLE]
    return [
        Figure("memory (PSS) of an idle session", "MB", taken, target=1),
        Figure("open files of an idle session", "", [(files[2] - files[1]) / IDLE], target=1),
        Figure(f"a turn among {FIRST + IDLE} idle sessions", "ms", among, alone, "alone"),
    ]


class Speaker:
    """A client that says one command again and again; `took_ms` is how long each answer took."""

    def __init__(self, asked: speech.Question) -> None:
        self.took_ms: list[float] = []
        self.wrong = 0
        self._text = json.dumps(asked.text).encode()
        self._ended_at: float | None = None
        self._is_heard_right = False

    def ends_at(self, at: float) -> None:
        """The loop time at which the last sound of the next command is said."""
        if self._ended_at is not None:
            self.wrong += 1  # the one before was not answered
        self._ended_at, self._is_heard_right = at, False

    def heard(self, payload: bytes) -> None:
        if payload.find(DELTA, 0, 80) < 0:
            if b"transcription.completed" in payload[:100]:
                self._is_heard_right = self._text in payload
            return
        if self._ended_at is None:
            return
        pcm = np.frombuffer(base64.b64decode(json.loads(payload)["delta"]), "<i2").astype(int)
        if len(pcm) and np.abs(pcm).max() > AUDIBLE:
            took_ms = (asyncio.get_running_loop().time() - self._ended_at) * 1000
            if self._is_heard_right and took_ms > 0:
                self.took_ms.append(took_ms)
            else:
                self.wrong += 1
            self._ended_at = None


async def speaking(url: str, count: int, turns: int) -> list[Speaker]:
    """So many sessions, evenly staggered, all saying the same from one recording."""
    asked = speech.questions()[0]
    quiet_ms = TURN_S * 1000 - BEFORE_MS - asked.ms
    track = [line.framed(frame) for frame in speech.frames(asked.played(BEFORE_MS, quiet_ms + 20))][
        : round(TURN_S * 1000 / speech.FRAME_MS)
    ]
    speakers = [Speaker(asked) for _ in range(count)]
    lines = [await line.connect(url, speaker.heard) for speaker in speakers]
    for each in lines:
        each.transport.write(line.event("session.update", session=SEMANTIC))
    loop = asyncio.get_running_loop()
    frame_s, began = speech.FRAME_MS / 1000, loop.time() + 0.5
    phases = [place * TURN_S / count for place in range(count)]
    sent = [0] * count
    while min(sent) < (turns + 1) * len(track):
        await asyncio.sleep(0.004)
        now = loop.time()
        for place, phase in enumerate(phases):
            # A frame is sent when its last sample was said.
            due = min(int((now - began - phase) / frame_s), (turns + 1) * len(track))
            while sent[place] < due:
                turn, number = divmod(sent[place], len(track))
                if number == 0 and turn < turns:
                    start = began + phase + turn * TURN_S
                    speakers[place].ends_at(start + (BEFORE_MS + asked.ms) / 1000)
                lines[place].transport.write(track[number if turn < turns else 0])
                sent[place] += 1
    await line.close(lines)
    return speakers


async def sessions(quick: bool) -> list[Figure]:
    """End of speech to the first sound, by how many speak: all cores are the daemon's and the clients'.

    Where others use them too, the daemon waits for a core, and the figures are not its own.
    """
    figures, alone = [], list[float]()
    with daemon() as box:
        box.ask()
        pid, loop = box.process.pid, asyncio.get_running_loop()
        for count in (1, *((8,) if quick else RUNGS)):
            turns = 1 + (TURNS if count > 1 else 3 * TURNS)  # the first loads
            before = busy_s(pid), waited_s(pid), loop.time()
            speakers = await speaking(box.url, count, turns)
            after = busy_s(pid), waited_s(pid), loop.time()
            busy, waited, lasted_s = (end - begin for begin, end in zip(before, after, strict=True))
            took = [ms for speaker in speakers for ms in speaker.took_ms[1:]]
            alone = alone or took
            missed = sum(speaker.wrong for speaker in speakers)
            wrong = [f"{missed} turns of {count * turns}"] if missed else []
            most = 2 if count == WANTED else None
            name = f"{count} speaking"
            figures += [
                Figure(f"{name}: end of speech to answer", "ms", took, wrong=wrong),
                Figure(f"{name}: its p95", "ms", [p95(took)], [p95(alone)], "one", most_ratio=most),
                Figure(f"{name}: CPU", "% core", [busy / lasted_s * 100]),
                Figure(f"{name}: waited for a core", "%", [waited / lasted_s * 100]),
            ]
    return figures

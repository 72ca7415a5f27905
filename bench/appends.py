"""What a frame of sound costs the daemon, over the frame that a WebSocket gives back."""

from dataclasses import replace

from bench import line, speech
from bench.daemon import busy_s, server
from bench.figures import Figure

LINES = 20
"""At 50 frames a second from each there is one a millisecond: every one wakes the server."""
QUIET = line.framed(speech.append(speech.noise(speech.FRAME_MS).tobytes()))
DETECTIONS = {"push-to-talk": None, "server_vad": {"type": "server_vad"}}
TARGET = 1.25


async def appends(quick: bool) -> list[Figure]:
    """Microseconds of the server's processor time for each 20 ms append, engines and VAD of no cost; with
    server_vad the sound is brought to the ear's rate at once and its loudness followed all the same.

    The floor is the same server that gives each frame back, in slices between.
    """
    slice_s, slices = (1.0, 4) if quick else (1.0, 30)
    costs: dict[str, list[float]] = {name: [] for name in ("echo", *DETECTIONS)}
    with server() as (process, url):
        lines = {name: await _lines(url, name) for name in costs}
        for place in range(-1, slices):  # the first warms up
            for name, taken in costs.items():
                before = busy_s(process.pid)
                await line.paced(lines[name], QUIET, speech.FRAME_MS / 1000, slice_s)
                frames = LINES * slice_s * 1000 / speech.FRAME_MS
                if place >= 0:
                    taken.append((busy_s(process.pid) - before) / frames * 1e6)
        await line.close([each for several in lines.values() for each in several])
    echo = costs.pop("echo")
    pushed, heard = (
        Figure(f"20 ms append, {name}", "µs", taken, echo, "echo") for name, taken in costs.items()
    )
    return [replace(pushed, most_ratio=TARGET), heard]


async def _lines(url: str, name: str) -> list[line.Line]:
    path = "echo" if name == "echo" else "v1"
    lines = [await line.connect(f"{url}/{path}", lambda _: None) for _ in range(LINES)]
    if name in DETECTIONS:
        audio = {"input": {"turn_detection": DETECTIONS[name]}}
        for each in lines:
            update = {"type": "realtime", "audio": audio}
            each.transport.write(line.event("session.update", session=update))
    return lines

"""What a frame of sound costs the daemon, over the frame that a WebSocket gives back."""

from bench import line, speech
from bench.daemon import busy_s, server
from bench.figures import Figure

LINES = 20
"""At 50 frames a second from each there is one a millisecond: every one wakes the server."""
QUIET = line.framed(speech.append(speech.noise(speech.FRAME_MS).tobytes()))
DETECTIONS = {"push-to-talk": None, "server_vad": {"type": "server_vad"}}
TARGET = 1.25


async def appends(quick: bool) -> list[Figure]:
    """Microseconds of the server's processor time for each 20 ms append, engines and VAD of no cost.

    The floor is the same server that gives each frame back, in slices between.
    """
    slice_s, slices = (2.0, 2) if quick else (4.0, 7)
    costs: dict[str, list[float]] = {"echo": [], **{name: [] for name in DETECTIONS}}
    with server() as (process, url):
        for _ in range(slices):
            for name, taken in costs.items():
                path = "echo" if name == "echo" else "v1"
                lines = [await line.connect(f"{url}/{path}", lambda _: None) for _ in range(LINES)]
                if name != "echo":
                    heard = {"turn_detection": DETECTIONS[name]}
                    session = {"type": "realtime", "audio": {"input": heard}}
                    for each in lines:
                        each.transport.write(line.event("session.update", session=session))
                await line.paced(lines, QUIET, speech.FRAME_MS / 1000, 0.5)
                before = busy_s(process.pid)
                await line.paced(lines, QUIET, speech.FRAME_MS / 1000, slice_s)
                frames = LINES * slice_s * 1000 / speech.FRAME_MS
                taken.append((busy_s(process.pid) - before) / frames * 1e6)
                await line.close(lines)
    echo = costs.pop("echo")
    return [
        Figure(f"20 ms append, {name}", "µs", taken, echo, "echo", most_ratio=TARGET)
        for name, taken in costs.items()
    ]

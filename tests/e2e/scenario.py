"""What every real client of the Realtime API goes through: hello by voice, a tool, an interruption, a return."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.conftest import Daemon, StartDaemon
from tests.model_server import ModelServer, Step, calls, model_server, says
from tests.speech import spoken

RATE_HZ = 24_000
COMMAND = "turn on the kitchen light"
"""What is said aloud first; what answers is the script, not the house."""
OVER = "what time is it"
"""What is said over the story."""
ASK_FIRST, GREETING = "Say good day.", "Good day."
"""Where the client has its model speak first."""
ASK_WEATHER, ASK_STORY, ASK_AGAIN = "How is the weather in London?", "Tell me a story.", "Me again."
HELLO = "Hello to you."
WEATHER, FOGGY = "It is foggy in London.", "foggy, 12 degrees"
"""What is said of it, and what the client's tool gives."""
STORY = "Once upon a time there was a very long story, which went on and on, and never came to its end, ever."
NOON, WELCOME = "It is noon.", "Welcome back."
MODEL = "fast"


@contextmanager
def scripted(
    start_daemon: StartDaemon, *before: Sequence[Step], **options: object
) -> Iterator[tuple[Daemon, ModelServer]]:
    """A daemon with its own ears and voice, whose model `MODEL` says what the scenario wants, in its order.

    `before`: answers that come before those.
    """
    call = calls("get_weather", '{"city": ', '"London"}')
    answers = [says(HELLO), call, says(WEATHER), says(STORY), says(NOON), says(WELCOME)]
    with model_server(*before, *answers) as server:
        settings = json.dumps({"url": server.url, "model": "tiny"})
        config = f"llm: {{{MODEL}: {settings}}}\nrouter: {{tiers: [commands, {MODEL}]}}\n"
        extra = options.pop("config", "")
        yield start_daemon("--demo", config=f"{config}{extra}", **options), server


def voice(text: str) -> bytes:
    """24 kHz PCM of a sentence, with the quiet after which it is a question."""
    return spoken(text, before_ms=300, after_ms=1200, rate_hz=RATE_HZ).pcm


TEXTS = (
    *("COMMAND", "ASK_FIRST", "ASK_WEATHER", "ASK_STORY", "ASK_AGAIN"),
    *("GREETING", "HELLO", "WEATHER", "FOGGY", "STORY", "NOON", "WELCOME", "MODEL"),
)


def told(folder: Path) -> dict[str, str]:
    """The scenario for a program elsewhere: its texts, and files of what is said aloud, in this folder."""
    files = {"command_file": COMMAND, "over_file": OVER}
    for name, text in files.items():
        (folder / name).write_bytes(voice(text))
    texts = {name.lower(): str(globals()[name]) for name in TEXTS}
    return texts | {name: str(folder / name) for name in files}


def was_cut(heard: str) -> bool:
    """It is the beginning of the story, and not all of it."""
    return bool(heard.strip()) and STORY.startswith(heard.strip()) and heard.strip() != STORY

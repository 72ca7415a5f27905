"""`airos ask`: a question to the daemon, or without one to engines opened for it."""

import asyncio
import base64
import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from airos_edge.cli import control, speech
from airos_edge.errors import RecordingError
from airos_edge.paths import socket_path

RECORDINGS = {".wav", ".flac", ".ogg"}
STAGES = ("recognise", "respond", "speak", "done")
LEFT = {
    "nothing": "nothing left this box",
    "lan": "it left for the LAN",
    "internet": "it left for the cloud",
}


def main(arguments: Namespace) -> int:
    recording = _recording(arguments.question)
    try:
        if recording is None:
            answer = control.post_json(socket_path(), "/api/ask", {"text": arguments.question})
        else:
            answer = control.request(socket_path(), "POST", "/api/ask", recording, "audio/wav")
    except control.NoDaemon:
        answer = asyncio.run(_ask_here(arguments, recording))
    wav = base64.b64decode(answer.pop("audio"))
    if arguments.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        _show(answer)
    speech.hand_over(wav, arguments)
    return 0 if answer["status"] == "completed" else 1


def _recording(question: str) -> bytes | None:
    """The bytes of the file that is meant, None if a text is."""
    path = Path(question)
    if path.suffix.lower() not in RECORDINGS and not path.is_file():
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from error


async def _ask_here(arguments: Namespace, recording: bytes | None) -> dict[str, Any]:
    from airos_edge.box import open_box
    from airos_edge.config import load
    from airos_edge.http.ask import ask
    from airos_edge.http.recording import decode

    question = arguments.question if recording is None else decode(recording)
    async with open_box(load(arguments.config), demo=arguments.demo) as box:
        answer = await ask(question, box.open_asking)
    return answer.as_json() | {"audio": base64.b64encode(answer.wav).decode()}


def _show(answer: dict[str, Any]) -> None:
    print(f"You said     {answer['transcript'] or '(nothing that was understood)'}")
    print(f"Airos says   {answer['answer']}")
    print(f"Answered by  {answer['tier'] or 'nobody'}, {LEFT[answer['left']]}")
    if answer["error"]:
        print(f"It failed    {answer['error']}")
    stages = (
        f"{stage} {answer['stages_ms'][stage]:.1f}"
        for stage in STAGES
        if stage in answer["stages_ms"]
    )
    print(f"Milliseconds {' · '.join(stages)}  (each since the question ended)")

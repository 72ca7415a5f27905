"""`airos ask`: a question to the daemon, or without one to engines opened for it."""

import asyncio
import base64
import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from airos_edge.cli import control, recordings, speech
from airos_edge.errors import RecordingError
from airos_edge.http.limits import text_within
from airos_edge.paths import socket_path

LEFT = {
    "nothing": "nothing left this box",
    "lan": "it left for the LAN",
    "internet": "it left for the cloud",
}


def main(arguments: Namespace) -> int:
    speech.refuse_unwritable(arguments.save)  # now: when it was asked it is too late
    recording = _recording(arguments.question)
    if recording is None:
        answer = _ask_text(text_within(arguments.question, "ask"), arguments)
    else:
        try:
            answer = _ask_recording(recording, arguments)
        except (RecordingError, control.Refused) as error:
            raise RecordingError(f"{arguments.question}: {error}") from error
    wav = base64.b64decode(answer.pop("audio"))
    if arguments.json:
        print(json.dumps(answer, ensure_ascii=False), flush=True)
    else:
        _show(answer)
    speech.hand_over(wav, arguments)
    return 0 if answer["status"] == "completed" else 1


def _recording(question: str) -> bytes | None:
    """The bytes of the file that is meant, None if a text is.

    A file is meant by the name of one, by what ends like a recording, and by a path to anything.
    """
    path = Path(question)
    try:
        is_file = path.is_file()
        is_there = path.exists()
    except (OSError, ValueError):
        is_file = is_there = False
    if is_file or recordings.is_named_like_one(path) or (is_there and "/" in question):
        return recordings.read(path)
    return None


def _ask_text(text: str, arguments: Namespace) -> dict[str, Any]:
    try:
        return control.post_json(socket_path(), "/api/ask", {"text": text})
    except control.NoDaemon:
        return asyncio.run(_ask_here(text, arguments))


def _ask_recording(recording: bytes, arguments: Namespace) -> dict[str, Any]:
    try:
        return control.request(socket_path(), "POST", "/api/ask", recording, "audio/wav")
    except control.NoDaemon:
        from airos_edge.http.recording import decode

        return asyncio.run(_ask_here(decode(recording), arguments))


async def _ask_here(question: str | bytes, arguments: Namespace) -> dict[str, Any]:
    from airos_edge.box import open_box
    from airos_edge.config import load
    from airos_edge.http.ask import ask

    async with open_box(load(arguments.config), arguments.demo, most_timers=0) as box:
        await box.loaded()
        answer = await ask(question, box.open_asking)
        if answer.outcome.intent is None and not box.check()["devices"]:
            hint = "no daemon is running, and the configuration has no devices; --demo brings some"
            print(f"airos: {hint}", file=sys.stderr)
    return answer.as_json() | {"audio": base64.b64encode(answer.wav).decode()}


def _show(answer: dict[str, Any]) -> None:
    lines = [
        f"You said     {answer['transcript'] or '(nothing that was understood)'}",
        f"Airos says   {answer['answer'] or '(nothing)'}",
        f"Answered by  {answer['tier'] or 'nobody'}, {LEFT[answer['left']]}",
    ]
    if answer["error"]:
        lines.append(f"It failed    {answer['error']}")
    took_ms = sorted(answer["stages_ms"].items(), key=lambda stage: stage[1])
    stages = [f"{stage} {ms:.1f}" for stage, ms in took_ms]
    if stages:
        lines.append(f"Milliseconds {' · '.join(stages)}  (each since the question ended)")
    print("\n".join(lines), flush=True)

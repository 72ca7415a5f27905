"""Asks an OpenAI-Realtime server a recorded question, as a microphone would, and saves what it says.

pip install 'openai[realtime]' soundfile soxr
python examples/ask_aloud.py [WAV] [URL]
"""

import asyncio
import base64
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from openai import AsyncOpenAI

RATE_HZ = 24_000
FRAME_MS = 20
SILENCE_S = 1.0
SESSION: Any = {
    "type": "realtime",
    "audio": {
        "input": {
            "transcription": {"model": "whisper-1"},
            "turn_detection": {"type": "semantic_vad"},
        }
    },
}


async def main(question: Path, url: str) -> None:
    client = AsyncOpenAI(api_key="any", base_url=url)
    async with client.realtime.connect(model="airos") as connection:
        await connection.session.update(session=SESSION)
        speaking = asyncio.create_task(speak(connection, question))
        answer = bytearray()
        async for event in connection:
            if event.type == "conversation.item.input_audio_transcription.completed":
                print("You said:  ", event.transcript)
            elif event.type == "response.output_audio.delta":
                answer += base64.b64decode(event.delta)
            elif event.type == "response.output_audio_transcript.done":
                print("It answers:", event.transcript)
            elif event.type == "response.done":
                break
            elif event.type == "error":
                sys.exit(event.error.message)
        await speaking
    with wave.open("answer.wav", "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(answer)
    print(f"answer.wav: {len(answer) / 2 / RATE_HZ:.1f} s")


async def speak(connection: Any, question: Path) -> None:
    """In frames of 20 ms, each when its sound is over, and then the silence of a room."""
    samples, rate_hz = soundfile.read(question, dtype="int16", always_2d=True)
    speech = soxr.resample(samples[:, 0], rate_hz, RATE_HZ)
    room = np.random.default_rng().normal(0, 30, int(SILENCE_S * RATE_HZ)).astype(np.int16)
    sound = np.concatenate([speech, room])
    step = RATE_HZ * FRAME_MS // 1000
    for start in range(0, len(sound), step):
        await asyncio.sleep(FRAME_MS / 1000)
        audio = base64.b64encode(sound[start : start + step].tobytes()).decode()
        await connection.input_audio_buffer.append(audio=audio)


if __name__ == "__main__":
    here = Path(__file__).parent
    wav = Path(sys.argv[1]) if len(sys.argv) > 1 else here / "turn-on-the-kitchen-light.wav"
    asyncio.run(main(wav, sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:8765/v1"))

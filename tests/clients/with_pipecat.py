"""pipecat's Realtime service in a pipeline, through the scenario. It dies of the first error that it gets."""

import asyncio
from typing import Any

from pipecat.adapters.schemas.function_schema import FunctionSchema
from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import (
    BotStoppedSpeakingFrame,
    EndFrame,
    ErrorFrame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMMessagesAppendFrame,
    LLMRunFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.openai.realtime.events import (
    AudioConfiguration,
    AudioInput,
    InputAudioTranscription,
    SessionProperties,
)
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.workers.runner import WorkerRunner
from talk import SCENARIO, frames, report, until


class Watch(BaseObserver):
    """What the service itself pushed."""

    def __init__(self, service: Any) -> None:
        super().__init__()
        self.service = service
        self.audio = self.interrupted = 0
        self.said = self.ended = ""
        self.heard: list[str] = []
        self.errors: list[str] = []

    async def on_push_frame(self, data: FramePushed) -> None:
        frame = data.frame
        if isinstance(frame, ErrorFrame):
            self.errors.append(frame.error)
        if isinstance(frame, InterruptionFrame):
            self.interrupted += 1
        if data.source is not self.service:
            return
        match frame:
            case TTSAudioRawFrame():
                self.audio += len(frame.audio)
            case TTSTextFrame():
                self.said += frame.text
            case TTSStoppedFrame():
                self.ended = self.said
            case TranscriptionFrame():
                self.heard.append(frame.text)


async def main() -> None:
    tools = []

    async def get_weather(params: Any) -> None:
        tools.append(dict(params.arguments))
        await params.result_callback(SCENARIO["foggy"])

    transcription = AudioInput(transcription=InputAudioTranscription(model="whisper-1"))
    properties = SessionProperties(audio=AudioConfiguration(input=transcription))
    service = OpenAIRealtimeLLMService(
        api_key="any",
        base_url=f"ws://127.0.0.1:{SCENARIO['port']}/v1/realtime",
        settings=OpenAIRealtimeLLMService.Settings(
            model=SCENARIO["model"], system_instruction="Be brief.", session_properties=properties
        ),
    )
    service.register_function("get_weather", get_weather)
    city = {"city": {"type": "string"}}
    weather = FunctionSchema("get_weather", "The weather of a city.", city, ["city"])
    context = LLMContext(
        [{"role": "user", "content": SCENARIO["ask_first"]}], ToolsSchema([weather])
    )
    pair = LLMContextAggregatorPair(context)
    watch = Watch(service)
    worker = PipelineWorker(
        Pipeline([pair.user(), service, pair.assistant()]),
        params=PipelineParams(audio_in_sample_rate=24_000, audio_out_sample_rate=24_000),
        cancel_on_idle_timeout=False,
        observers=[watch],
    )

    async def say(file: str) -> None:
        for pcm in frames(file):
            await worker.queue_frame(InputAudioRawFrame(pcm, 24_000, 1))
            await asyncio.sleep(0.02)

    async def ask(text: str) -> None:
        message = {"role": "user", "content": text}
        await pair.user().push_frame(LLMMessagesAppendFrame([message], run_llm=True))

    async def answered(text: str) -> None:
        """And was played, which a loudspeaker tells; here is none."""
        await until(text, lambda: text in watch.ended)
        await pair.assistant().push_frame(BotStoppedSpeakingFrame(), FrameDirection.UPSTREAM)

    started = asyncio.Event()

    @worker.event_handler("on_pipeline_started")
    async def has_started(*_: Any) -> None:
        started.set()

    async def talk() -> None:
        await started.wait()
        await worker.queue_frame(LLMRunFrame())
        await answered(SCENARIO["greeting"])
        await say("command_file")
        await answered(SCENARIO["hello"])
        await ask(SCENARIO["ask_weather"])
        await answered(SCENARIO["weather"])
        before = watch.audio
        await ask(SCENARIO["ask_story"])
        await until("the story", lambda: watch.audio > before + 24_000)
        await asyncio.sleep(0.8)
        await say("over_file")
        await answered(SCENARIO["noon"])
        await service.reset_conversation()
        await say("command_file")
        await answered(SCENARIO["welcome"])
        await worker.queue_frame(EndFrame())

    runner = WorkerRunner()
    await runner.add_workers(worker)
    talking = asyncio.create_task(talk())
    running = asyncio.create_task(runner.run())
    await asyncio.wait([talking, running], return_when=asyncio.FIRST_COMPLETED)
    if talking.done() and talking.exception():
        await worker.cancel()
    await running
    await talking
    messages = [[m["role"], m.get("content")] for m in context.get_messages()]
    report(
        errors=watch.errors, heard=watch.heard, said=watch.said, tools=tools, audio=watch.audio,
        interrupted=watch.interrupted, messages=messages,
    )  # fmt: skip


asyncio.run(main())

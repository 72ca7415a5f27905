// The npm package `openai` through the scenario of tests/e2e/scenario.py; prints what it was told.
import { load, report, say, scenario, sleep, until } from "./talk.mjs";

const { OpenAI } = load("openai");
const { OpenAIRealtimeWS } = load("openai/realtime/ws");

const told = { audio: 0, cancelled: [], tools: [], errors: [], said: [], heard: [], cut: null };

const client = new OpenAI({ apiKey: "any", baseURL: scenario.base_url });

async function connect() {
  const rt = new OpenAIRealtimeWS({ model: scenario.model }, client);
  let created = false;
  rt.on("error", (error) => told.errors.push(error.message));
  rt.on("session.created", () => (created = true));
  rt.on("response.output_audio.delta", (event) => (told.audio += Buffer.from(event.delta, "base64").length));
  rt.on("response.output_audio_transcript.done", (event) => told.said.push(event.transcript.trim()));
  rt.on("conversation.item.input_audio_transcription.completed", (event) => told.heard.push(event.transcript));
  rt.on("response.function_call_arguments.done", (event) => told.tools.push(event));
  rt.on("response.done", (event) => told.cancelled.push(event.response.status_details?.reason ?? null));
  await until("session.created", () => created);
  return rt;
}

function type(rt, text) {
  const item = { type: "message", role: "user", content: [{ type: "input_text", text }] };
  rt.send({ type: "conversation.item.create", item });
  rt.send({ type: "response.create" });
}

const append = (rt) => (pcm) => rt.send({ type: "input_audio_buffer.append", audio: pcm.toString("base64") });
const done = (count) => until(`answer ${count}`, () => told.cancelled.length === count);

let rt = await connect();
const parameters = { type: "object", properties: { city: { type: "string" } } };
rt.send({
  type: "session.update",
  session: {
    type: "realtime",
    tools: [{ type: "function", name: "get_weather", description: "The weather of a city.", parameters }],
    audio: { input: { transcription: { model: "whisper-1" }, turn_detection: { type: "server_vad" } } },
  },
});
await say(scenario.command_file, append(rt));
await done(1);
type(rt, scenario.ask_weather);
await done(2);
const output = { type: "function_call_output", call_id: told.tools[0].call_id, output: scenario.foggy };
rt.send({ type: "conversation.item.create", item: output });
rt.send({ type: "response.create" });
await done(3);

let story = null;
rt.on("response.output_audio.delta", (event) => (story ??= event.item_id));
rt.on("conversation.item.retrieved", (event) => (told.cut = event.item.content[0].transcript));
type(rt, scenario.ask_story);
await until("the story", () => story);
await sleep(800);
const over = say(scenario.over_file, append(rt));
await done(4);
rt.send({ type: "conversation.item.truncate", item_id: story, content_index: 0, audio_end_ms: 900 });
rt.send({ type: "conversation.item.retrieve", item_id: story });
await until("retrieved", () => told.cut !== null);
await over;
await done(5);
rt.close();

rt = await connect();
type(rt, scenario.ask_again);
await done(6);
rt.close();
report(told);

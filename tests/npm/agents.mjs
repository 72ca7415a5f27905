// @openai/agents-realtime through the scenario of tests/e2e/scenario.py; prints what it holds at the end.
import { load, report, say, scenario, sleep, until } from "./talk.mjs";

const { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } = load("@openai/agents-realtime");
const { z } = load("zod");

const told = { audio: 0, interrupted: 0, ended: 0, tools: [], errors: [] };

async function connect() {
  const weather = tool({
    name: "get_weather",
    description: "The weather of a city.",
    parameters: z.object({ city: z.string() }),
    execute: async () => scenario.foggy,
  });
  const agent = new RealtimeAgent({ name: "host", instructions: "Be brief.", tools: [weather] });
  const transport = new OpenAIRealtimeWebSocket({ url: scenario.url, useInsecureApiKey: true });
  const session = new RealtimeSession(agent, { transport, model: scenario.model });
  session.on("audio", (event) => (told.audio += event.data.byteLength));
  session.on("audio_interrupted", () => (told.interrupted += 1));
  session.on("agent_end", () => (told.ended += 1));
  session.on("agent_tool_end", (_context, _agent, _tool, result) => told.tools.push(result));
  session.on("error", (event) => told.errors.push(String(event.error?.message ?? JSON.stringify(event.error))));
  await session.connect({ apiKey: "any" });
  return session;
}

const of = (session, role) =>
  session.history
    .filter((item) => item.type === "message" && item.role === role)
    .map((item) => item.content.map((part) => part.transcript ?? part.text ?? "").join("").trim());
const has = (session, role, text) => until(text, () => of(session, role).includes(text));

let session = await connect();
await say(scenario.command_file, (pcm) => session.sendAudio(new Uint8Array(pcm).buffer));
await has(session, "assistant", scenario.hello);
await has(session, "user", scenario.command);
await until("the end of the first answer", () => told.ended === 1);
session.sendMessage(scenario.ask_weather);
await has(session, "assistant", scenario.weather);
await until("the end of the call and its answer", () => told.ended === 3);
const before = told.audio;
session.sendMessage(scenario.ask_story);
await until("the story", () => told.audio > before + 24000);
await sleep(800);
await say(scenario.over_file, (pcm) => session.sendAudio(new Uint8Array(pcm).buffer));
await has(session, "assistant", scenario.noon);
await until("cut", () => of(session, "assistant")[2] !== scenario.story);
const first = { user: of(session, "user"), assistant: of(session, "assistant") };
session.close();

session = await connect();
session.sendMessage(scenario.ask_again);
await has(session, "assistant", scenario.welcome);
report({ ...told, ...first, again: of(session, "assistant") });

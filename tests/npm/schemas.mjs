// Reads events, one a line, and prints what the schemas of @openai/agents-realtime have against each.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const load = createRequire(`${process.argv[2]}/`);
const { realtimeServerEventSchema } = load(`${process.argv[2]}/@openai/agents-realtime/dist/openaiRealtimeEvents.js`);

for await (const line of createInterface({ input: process.stdin })) {
  const parsed = realtimeServerEventSchema.safeParse(JSON.parse(line));
  if (!parsed.success) process.stdout.write(`${parsed.error.message.replaceAll("\n", " ")} in ${line}\n`);
}

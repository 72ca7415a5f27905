// @openai/agents-realtime with a hosted MCP tool: one call is approved, the next is not. Prints what it holds.
import { createRequire } from "node:module";

const { url, server, packages } = JSON.parse(process.argv[2]);
const { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } = createRequire(`${packages}/`)("@openai/agents-realtime");
const { hostedMcpTool } = createRequire(`${packages}/`)("@openai/agents-core");

const told = { tools: [], asked: [], errors: [], calls: [] };
const until = async (what, isSo) => {
  for (const end = Date.now() + 20000; !isSo(); await new Promise((go) => setTimeout(go, 20)))
    if (Date.now() > end) throw new Error(`no ${what}: ${JSON.stringify([told, session.history])}`);
};
const hosted = hostedMcpTool({ serverLabel: "all", serverUrl: server, allowedTools: ["echo"], requireApproval: "always" });
const agent = new RealtimeAgent({ name: "host", instructions: "Be brief.", tools: [hosted] });
const session = new RealtimeSession(agent, { transport: new OpenAIRealtimeWebSocket({ url, useInsecureApiKey: true }), model: "fast" });
session.on("mcp_tools_changed", (tools) => (told.tools = tools.map((tool) => tool.name)));
session.on("mcp_tool_call_completed", (_context, _agent, call) => told.calls.push(call.output));
session.on("error", (event) => told.errors.push(event));
session.on("tool_approval_requested", (_context, _agent, request) => {
  told.asked.push(request.approvalItem.rawItem.name);
  if (told.asked.length === 1) session.approve(request.approvalItem);
  else session.reject(request.approvalItem, { message: "Not twice." });
});
const said = () =>
  session.history
    .filter((item) => item.type === "message" && item.role === "assistant" && item.status === "completed")
    .map((item) => item.content.map((part) => part.transcript ?? part.text ?? "").join("").trim());

await session.connect({ apiKey: "any" });
await until("tools", () => told.tools.length);
for (const [count, question] of ["say hello", "once more"].entries()) {
  session.sendMessage(question);
  await until("answer", () => said().length === count + 1);
}
console.log(JSON.stringify({ ...told, said: said() }));
process.exit(0);

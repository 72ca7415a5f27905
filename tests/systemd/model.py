"""An OpenAI-compatible server inside the machine: it calls the tool `notes__echo`, and says what came of it."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer

PORT = 8099
ECHO = {"name": "notes__echo", "arguments": '{"message": "milk"}'}
CALL = {"tool_calls": [{"index": 0, "id": "call_1", "function": ECHO}]}


class Model(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        last = asked["messages"][-1]
        delta = {"content": last["content"]} if last["role"] == "tool" else CALL
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        choice = {"delta": delta, "finish_reason": "stop"}
        for data in (json.dumps({"choices": [choice]}), "[DONE]"):
            self.wfile.write(f"data: {data}\n\n".encode())


HTTPServer(("127.0.0.1", PORT), Model).serve_forever()

"""An MCP server as small as can be, that misbehaves when it is told to. Started as a program, never imported.

python -IS mcp_program.py [slow | deaf | crash | stubborn | chatty]
"""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

NAMES = ["echo", "environment", "die", "hang", "fail", "long", "child", "learn", "grumble"]
HOW = sys.argv[1] if len(sys.argv) > 1 else ""


def say(**message: Any) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def text(words: str, is_error: bool = False) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": words}], "isError": is_error}


def call(name: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """The result; None: there will be none."""
    match name:
        case "echo":
            return text(arguments["message"])
        case "environment":
            return text(json.dumps(dict(os.environ)))
        case "die":
            sys.exit(1)
        case "hang":
            return None
        case "fail":
            return text("the disk is full", is_error=True)
        case "long":
            return text("x" * 100_000)
        case "child":
            return text(str(subprocess.Popen(["sleep", "600"]).pid))
        case "grumble":
            print("no coffee left", file=sys.stderr, flush=True)
            return text("grumbled")
        case "learn":
            NAMES.append("sing")
            say(method="notifications/tools/list_changed")
            return text("learned")
    return text(f"no tool {name}", is_error=True)


def answer(method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    match method:
        case "initialize":
            return {
                "protocolVersion": params["protocolVersion"],
                "capabilities": {"tools": {"listChanged": True}},
                "serverInfo": {"name": "mcp_program", "version": str(os.getpid())},
            }
        case "tools/list":
            schema = {"type": "object", "properties": {"message": {"type": "string"}}}
            tools = [
                {"name": name, "description": f"It can {name}.", "inputSchema": schema}
                for name in NAMES
            ]
            # Page by page, as a server may.
            start = int(params.get("cursor") or 0)
            more = {"nextCursor": str(start + 5)} if start + 5 < len(tools) else {}
            return {"tools": tools[start : start + 5], **more}
        case "tools/call":
            return call(params["name"], params.get("arguments") or {})
    return None


def main() -> None:
    if HOW == "slow":
        time.sleep(1.0)
    if HOW == "crash":
        sys.exit("this will never work")
    if HOW == "chatty":
        print("Welcome to my server!", flush=True)
    if HOW == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message or HOW == "deaf":
            continue
        known = ("initialize", "tools/list", "tools/call")
        if message["method"] not in known:
            say(id=message["id"], error={"code": -32601, "message": "no such method"})
            continue
        result = answer(message["method"], message.get("params") or {})
        if result is not None:
            say(id=message["id"], result=result)
    while HOW == "stubborn":
        time.sleep(60)


main()

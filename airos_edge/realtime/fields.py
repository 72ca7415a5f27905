"""The fields of a session object: what each may hold, checked, and what it holds when nothing is said of it."""

from collections.abc import Mapping
from typing import Any

from airos_edge.realtime import checks, mcp_tools
from airos_edge.realtime.formats import G711, PCM_RATES_HZ

PCM: Mapping[str, Any] = {"type": "audio/pcm", "rate": PCM_RATES_HZ[0]}
OWN_VOICE = "airos"
SERVER_VAD: Mapping[str, Any] = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
SEMANTIC_VAD: Mapping[str, Any] = {
    "type": "semantic_vad",
    "eagerness": "auto",
    "create_response": True,
    "interrupt_response": True,
}
TRANSCRIBED: Mapping[str, Any] = {"model": None, "language": None, "prompt": None}
DETECTIONS = {"server_vad": SERVER_VAD, "semantic_vad": SEMANTIC_VAD}
EFFORTS = ("minimal", "low", "medium", "high", "xhigh")
LOGPROBS = "item.input_audio_transcription.logprobs"


def _or_else(usual: Any, check: checks.Check) -> checks.Check:
    """null: what is usual."""
    return lambda path, value: usual if value is None else check(path, value)


def _object(**fields: checks.Check) -> checks.Check:
    """An object whose fields, where they are given, pass these; nothing is known of others."""

    def check(path: str, value: Any) -> dict[str, Any]:
        given = checks.mapping(path, value)
        for key, field in fields.items():
            if given.get(key) is not None:
                field(f"{path}.{key}", given[key])
        return given

    return check


def _text_or(check: checks.Check, *words: str) -> checks.Check:
    return lambda path, value: (
        checks.one_of(*words)(path, value) if isinstance(value, str) else check(path, value)
    )


def _list_of(check: checks.Check) -> checks.Check:
    return lambda path, value: [
        check(f"{path}[{place}]", one) for place, one in enumerate(checks.sequence(path, value))
    ]


# ---- of the session -----------------------------------------------------------------------------


def _modalities(path: str, value: Any) -> list[str]:
    if value == ["text"]:
        return ["text"]
    if value in (["audio"], ["text", "audio"], ["audio", "text"]):
        return ["audio"]
    raise checks.invalid(path, "['audio'] or ['text']")


def _tools(path: str, value: Any) -> list[dict[str, Any]]:
    tools = checks.sequence(path, [] if value is None else value)
    return [_tool(f"{path}[{place}]", tool) for place, tool in enumerate(tools)]


def _tool(path: str, value: Any) -> dict[str, Any]:
    tool = checks.mapping(path, value)
    kind = checks.one_of("function", "mcp")(f"{path}.type", tool.get("type"))
    if kind == "mcp":
        return mcp_tools.check(path, tool)
    checks.text(f"{path}.name", tool.get("name"))
    return tool


def _tool_choice(path: str, value: Any) -> Any:
    if isinstance(value, str):
        return checks.one_of("auto", "none", "required")(path, value)
    given = checks.mapping(path, value)
    kind = checks.one_of("function", "mcp")(f"{path}.type", given.get("type"))
    key = "name" if kind == "function" else "server_label"
    checks.text(f"{path}.{key}", given.get(key))
    return given


def _max_tokens(path: str, value: Any) -> Any:
    return value if value == "inf" else checks.number(1, 4096)(path, value)


def _truncation(path: str, value: Any) -> Any:
    if isinstance(value, str):
        return checks.one_of("auto", "disabled")(path, value)
    given = checks.mapping(path, value)
    checks.one_of("retention_ratio")(f"{path}.type", given.get("type"))
    checks.number(0, 1)(f"{path}.retention_ratio", given.get("retention_ratio"))
    limits = _object(post_instructions=checks.number(1))
    checks.nullable(limits)(f"{path}.token_limits", given.get("token_limits"))
    return given


# ---- of its audio -------------------------------------------------------------------------------


def _format(path: str, value: Any) -> dict[str, Any]:
    given = checks.mapping(path, value)
    kind = checks.one_of(PCM["type"], *G711)(f"{path}.type", given.get("type"))
    if kind in G711:
        return {"type": kind}
    rate = given.get("rate") or PCM["rate"]
    if rate not in PCM_RATES_HZ:
        raise checks.unsupported(f"{path}.rate", rate, PCM_RATES_HZ)
    return {"type": kind, "rate": rate}


def _turn_detection(path: str, value: Any) -> dict[str, Any]:
    given = checks.mapping(path, value)
    kind = checks.one_of(*DETECTIONS)(f"{path}.type", given.get("type", "server_vad"))
    usual = DETECTIONS[kind]
    for key, part in given.items():
        if key not in usual:
            raise checks.unknown(f"{path}.{key}")
        if part is not None:
            DETECTION_CHECKS[key](f"{path}.{key}", part)
    return {key: part if given.get(key) is None else given[key] for key, part in usual.items()}


def _transcription(path: str, value: Any) -> dict[str, Any]:
    return {**TRANSCRIBED, **TRANSCRIPTION(path, value)}


def _voice(path: str, value: Any) -> Any:
    """Which voices there are is for `effects.py` to say."""
    if not isinstance(value, str):
        checks.text(f"{path}.id", checks.mapping(path, value).get("id"))
    return value


DETECTION_CHECKS: Mapping[str, checks.Check] = {
    "type": checks.text,
    "threshold": checks.number(0, 1),
    "prefix_padding_ms": checks.number(0, 5000),
    "silence_duration_ms": checks.number(0, 10_000),
    "idle_timeout_ms": checks.number(1000, 600_000),
    "eagerness": checks.one_of("low", "medium", "high", "auto"),
    "create_response": checks.boolean,
    "interrupt_response": checks.boolean,
}
TRANSCRIPTION = _object(
    model=checks.text,
    language=checks.text,
    languages=_list_of(checks.text),
    prompt=checks.text,
    keywords=_list_of(checks.text),
    delay=checks.one_of(*EFFORTS),
)
CHECKS: Mapping[str, checks.Check] = {
    "output_modalities": _or_else(["audio"], _modalities),
    "instructions": _or_else("", checks.text),
    "tools": _tools,
    "tool_choice": _or_else("auto", _tool_choice),
    "parallel_tool_calls": checks.nullable(checks.boolean),
    "max_output_tokens": _or_else("inf", _max_tokens),
    "tracing": checks.nullable(
        _text_or(_object(workflow_name=checks.text, group_id=checks.text), "auto")
    ),
    "truncation": _or_else("auto", _truncation),
    "prompt": checks.nullable(_object(id=checks.text, version=checks.text)),
    "reasoning": checks.nullable(_object(effort=checks.one_of(*EFFORTS))),
    "include": checks.nullable(_list_of(checks.one_of(LOGPROBS))),
    # of audio.input
    "format": _or_else(dict(PCM), _format),
    "transcription": checks.nullable(_transcription),
    "noise_reduction": checks.nullable(
        _object(type=checks.one_of("near_field", "far_field"), strength=checks.number(0))
    ),
    "turn_detection": checks.nullable(_turn_detection),
    # of audio.output
    "voice": _or_else(OWN_VOICE, _voice),
    "speed": _or_else(1.0, checks.number(0.25, 1.5)),
}

"""What a session object means: for the ear, for the recogniser and for how replies are made."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from airos_edge.realtime import checks
from airos_edge.realtime.fields import OWN_VOICE
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.ports import Hints, Prompt, Speaking, Truncation

PATIENCE = {"low": 2.0, "medium": 1.0, "auto": 1.0, "high": 0.5}
"""How much longer or shorter than the box's own ears `semantic_vad` waits, by eagerness."""
LONGEST_MS = {"low": 8000, "medium": 4000, "auto": 4000, "high": 2000}
"""How long it waits at most, whatever the box's own ears do: OpenAI's figures."""
PUSH_LONGEST_S = 600
"""How much a client may append before it commits."""
OPENAI_VOICES = (
    *("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"),
    *("fable", "nova", "onyx"),
)


def rules_of(configuration: Mapping[str, Any], box: TurnRules) -> TurnRules:
    """`server_vad` obeys its own milliseconds to the letter; `semantic_vad` uses the box's ears."""
    detection = configuration["audio"]["input"]["turn_detection"]
    answers = configuration["type"] == "realtime"
    if detection is None:
        return replace(
            box, detection="push", answer="never", interrupt="never", longest_s=PUSH_LONGEST_S
        )
    common = replace(
        box,
        detection="speech",
        interrupt="stop" if detection["interrupt_response"] else "never",
        answer="always" if answers and detection["create_response"] else "never",
    )
    if detection["type"] == "server_vad":
        return replace(
            common,
            judged=False,
            threshold=detection["threshold"],
            padding_ms=detection["prefix_padding_ms"],
            user_silence_threshold_ms=detection["silence_duration_ms"],
            question_end_silence_ms=0,
            idle_timeout_ms=detection["idle_timeout_ms"] if answers else None,
        )
    patience, longest_ms = PATIENCE[detection["eagerness"]], LONGEST_MS[detection["eagerness"]]

    def waits(ms: int, at_most: int = longest_ms) -> int:
        return min(round(ms * patience), at_most)

    pause_ms = waits(box.user_silence_threshold_ms)
    return replace(
        common,
        user_silence_threshold_ms=pause_ms,
        question_end_silence_ms=waits(box.question_end_silence_ms, longest_ms - pause_ms),
        open_silence_ms=waits(box.open_silence_ms),
        prefix_silence_ms=waits(box.prefix_silence_ms),
    )


def hints_of(configuration: Mapping[str, Any], before: Hints, usual: Hints) -> Hints:
    """The language that the client says is spoken, or the languages: of those the box's own comes first."""
    transcription = configuration["audio"]["input"]["transcription"] or {}
    several = transcription.get("languages") or []
    if wanted := transcription.get("language"):
        return replace(before, language=wanted, languages=())
    if not several:
        return replace(before, language=usual.language, languages=usual.languages)
    first = usual.language if usual.language in several else several[0]
    languages = tuple(dict.fromkeys((first, *several)))
    return replace(before, language=first, languages=languages if len(languages) > 1 else ())


def manner_of(
    configuration: Mapping[str, Any],
    before: Prompt,
    language: str,
    voices: Collection[str] | None = None,
) -> Prompt:
    """How replies are made. `voices`: as in `voice_of`. Raises ProtocolError for a voice there is not."""
    if configuration["type"] == "transcription":
        return before
    limit = configuration["max_output_tokens"]
    spoken = configuration["output_modalities"] == ["audio"]
    output = configuration["audio"]["output"]
    voice = voice_of(output["voice"], voices)
    return replace(
        before,
        instructions=configuration["instructions"] or None,
        tools=tuple(tool for tool in configuration["tools"] if tool["type"] == "function"),
        tool_choice=configuration["tool_choice"],
        speaking=Speaking(voice, language, output["speed"]) if spoken else None,
        max_tokens=None if limit == "inf" else limit,
        parallel_calls=configuration.get("parallel_tool_calls", True),
        truncation=_truncation_of(configuration["truncation"]),
        responder=configuration["model"],
    )


def _truncation_of(given: Any) -> Truncation:
    if isinstance(given, str):
        return Truncation(retention=None) if given == "disabled" else Truncation()
    limits = given.get("token_limits") or {}
    return Truncation(given["retention_ratio"], limits.get("post_instructions"))


def voice_of(wanted: Any, voices: Collection[str] | None) -> str | None:
    """The voice of the box that is meant, by its name; None: the usual one, which stands in for OpenAI's.

    `voices`: those it has; None: only who speaks knows, and is given any name that is not OpenAI's.
    Raises ProtocolError for a name that nobody has.
    """
    name = wanted if isinstance(wanted, str) else wanted["id"]
    if voices is not None and name.partition("+")[0] in voices:
        return str(name)
    if name in (OWN_VOICE, *OPENAI_VOICES) or not isinstance(wanted, str):
        return None
    if voices is None:
        return name
    known = (OWN_VOICE, *OPENAI_VOICES, *sorted(voices))
    raise checks.unsupported("session.audio.output.voice", name, known)

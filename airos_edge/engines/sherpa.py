"""sherpa-onnx: what is to be loaded, as a value, and loading it. The only file that knows the library."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from airos_edge.engines.sherpa_kinds import Found
from airos_edge.errors import EngineUnavailable
from airos_edge.voice.audio import RATE_HZ

log = logging.getLogger(__name__)

NAME = "sherpa"
CUDA = "lib/libonnxruntime_providers_cuda.so"
"""What a build of the library that can use a GPU has, within its package."""
MOST_THREADS = 4
"""More do not make these models faster, and a box has other things to do."""
CORES_OF_THREAD = 2
"""Half of the cores: threads that wait for each other's part take as much of a core as those that work. On
two cores, a model took twice the CPU with two threads that it took with one."""
HEARD_STREAMING = ("zipformer", "streaming_paraformer")
CLONING = ("zipvoice", "pocket")
"""Kinds that have no voice of their own, and speak in that of a recording."""
SAYS = "Okay 好。"
"""What is said once, to see whether it can. Where it is no word, nothing is said, and no harm done."""
IPA = "oʊkˈeɪ."


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be loaded. Plain values: another process is told of it."""

    kind: str
    files: Mapping[str, str]
    provider: str = "cpu"
    threads: int = 1
    options: Mapping[str, str] = field(default_factory=dict)
    """As the kind's own configuration calls them."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def plan_of(found: Found, device: str) -> Plan:
    """`device` as in the configuration."""
    provider = "cuda" if device == "cuda" or (device == "auto" and has_gpu()) else "cpu"
    threads = max(1, min(MOST_THREADS, (os.cpu_count() or 1) // CORES_OF_THREAD))
    return Plan(found.kind.name, found.files, provider, threads)


def has_gpu() -> bool:
    """Whether the library was built for one. Imports nothing."""
    spec = find_spec("sherpa_onnx")
    return bool(spec and spec.origin and (Path(spec.origin).parent / CUDA).exists())


def version() -> str:
    return metadata.version("sherpa-onnx")


def on_cpu(plan: Plan) -> Plan:
    return replace(plan, provider="cpu")


def load_ears(plan: Plan) -> Any:
    """An OnlineRecognizer or an OfflineRecognizer. Blocks. Raises EngineUnavailable; of files that are
    not what they should be, the library may end the process (`sherpa_trial.py`)."""
    try:
        import sherpa_onnx
    except ImportError as error:
        raise EngineUnavailable(NAME, f"cannot be loaded: {error}") from error

    files = {role: path for role, path in plan.files.items() if role not in ("rules", "bpe_vocab")}
    usual = {**files, "num_threads": plan.threads, "provider": plan.provider}
    rules = {"rule_fsts": plan.files["rules"]} if "rules" in plan.files else {}
    online, offline = sherpa_onnx.OnlineRecognizer, sherpa_onnx.OfflineRecognizer
    try:
        match plan.kind:
            case "zipformer":
                return online.from_transducer(**usual, model_type="", **plan.options)
            case "streaming_paraformer":
                return online.from_paraformer(**usual, **rules)
            case "transducer":
                return offline.from_transducer(**usual, model_type="")
            case "sense_voice":
                return offline.from_sense_voice(**usual, use_itn=True)
            case "paraformer":
                usual["paraformer"] = usual.pop("model")
                return offline.from_paraformer(**usual, **rules)
    except Exception as error:  # boundary: what the library throws at a model
        raise EngineUnavailable(NAME, f"{plan.kind} cannot be loaded: {error}") from error
    raise EngineUnavailable(NAME, f"there is no kind {plan.kind!r}")


def load_voice(plan: Plan) -> Any:
    """An OfflineTts. As `load_ears`."""
    try:
        import sherpa_onnx
    except ImportError as error:
        raise EngineUnavailable(NAME, f"cannot be loaded: {error}") from error

    files = {role: path for role, path in plan.files.items() if role != "rules"}
    try:
        kinds = {
            "vits": sherpa_onnx.OfflineTtsVitsModelConfig,
            "matcha": sherpa_onnx.OfflineTtsMatchaModelConfig,
            "kokoro": sherpa_onnx.OfflineTtsKokoroModelConfig,
            "kitten": sherpa_onnx.OfflineTtsKittenModelConfig,
            "zipvoice": sherpa_onnx.OfflineTtsZipvoiceModelConfig,
            "pocket": sherpa_onnx.OfflineTtsPocketModelConfig,
        }
        model = sherpa_onnx.OfflineTtsModelConfig(
            **{plan.kind: kinds[plan.kind](**files)},
            num_threads=plan.threads,
            provider=plan.provider,
        )
        config = sherpa_onnx.OfflineTtsConfig(model=model, rule_fsts=plan.files.get("rules", ""))
        if not config.validate():
            raise EngineUnavailable(NAME, f"{plan.kind}: sherpa-onnx refuses these files")
        return sherpa_onnx.OfflineTts(config)
    except EngineUnavailable:
        raise
    except Exception as error:  # boundary: what the library throws at a model
        raise EngineUnavailable(NAME, f"{plan.kind} cannot be loaded: {error}") from error


@dataclass(frozen=True, slots=True)
class Manner:
    """How something is said. `clone`: the voice it is said in, as `clone_of` gives it."""

    speaker: int = 0
    speed: float = 1.0
    clone: Any = None


def clone_of(samples: npt.NDArray[np.float32], rate_hz: int, text: str) -> Any:
    """The voice of a recording (samples from -1 to 1) in which this is said, for one thread at a time.

    Made once: handing a recording over keeps Python's lock for some milliseconds of each second of it.
    """
    import sherpa_onnx

    clone = sherpa_onnx.GenerationConfig()
    clone.reference_audio, clone.reference_sample_rate = samples, rate_hz
    clone.reference_text = text
    return clone


def generate(
    voice: Any,
    text: str,
    manner: Manner,
    take: Callable[[Any, float], int],
    ipa: Sequence[str] | None = None,
) -> None:
    """Says it; `take` gets samples from -1 to 1 and the share of the text that they complete, and gives 0
    to end it. `ipa`: the text's sentences, for voices that are told how they sound. Blocks. Raises what
    the library throws."""
    import sherpa_onnx

    config = manner.clone or sherpa_onnx.GenerationConfig()
    config.sid, config.speed = manner.speaker, manner.speed
    if ipa is not None:
        config.phoneme_codepoints = [[ord(letter) for letter in sentence] for sentence in ipa]
    voice.generate(text, config, take)


def hear_once(plan: Plan, ears: Any) -> None:
    """Half a second of noise: the first inference takes the longest. Raises what the library throws."""
    noise = np.random.default_rng(seed=0).normal(0, 0.001, RATE_HZ // 2).astype(np.float32)
    stream = ears.create_stream()
    stream.accept_waveform(RATE_HZ, noise)
    if plan.kind in HEARD_STREAMING:
        stream.accept_waveform(RATE_HZ, np.zeros(RATE_HZ, np.float32))
        while ears.is_ready(stream):
            ears.decode_stream(stream)
    else:
        ears.decode_stream(stream)


def say_once(plan: Plan, voice: Any) -> None:
    """A word, or in the voice of some noise where it has none. Raises what the library throws."""
    noise = np.random.default_rng(seed=0).normal(0, 0.01, RATE_HZ).astype(np.float32)
    clone = clone_of(noise, RATE_HZ, SAYS) if plan.kind in CLONING else None
    ipa = [IPA] if plan.options.get("ipa") else None
    generate(voice, SAYS, Manner(clone=clone), lambda samples, share: 1, ipa)

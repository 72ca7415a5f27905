"""A voice of Piper's from its two files, loaded into onnxruntime: text to the sound of it.

What its JSON holds is that of piper-tts 1.8 (piper/config.py). The espeak-ng that Piper brings to read
with is its own, linked into its module: it shares nothing with the one that `espeak.py` loads.
"""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from airos_edge.engines import locate
from airos_edge.engines.settings import Device
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.models.stored import StoredModel
from airos_edge.models.suspect import instead
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.tags import is_same

log = logging.getLogger(__name__)

MOST_THREADS = 4
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
WARM_UP = "Hm."
READER = Path("g2pW/g2pw.onnx")
"""What reads Chinese, beside the voice."""
EXTRAS = {
    "japanese": ("pyopenjtalk", "ja"),
    "thai": ("tltk", "th"),
    "pinyin": ("transformers", "zh"),
}
"""What reads languages that espeak-ng does not, by `phoneme_type`: a package, and the extra of piper-tts that
brings it."""


@dataclass(frozen=True, slots=True)
class VoiceFiles:
    """A voice on the disk, as its JSON describes it."""

    name: str
    """That of its file: en_US-lessac-medium."""
    model: StoredModel
    onnx: Path
    languages: tuple[str, ...]
    """What it speaks, the most exact first: en-us, en."""
    speakers: Mapping[str, int]
    """By name, with their numbers; none, of a voice that is one speaker's."""
    described: Mapping[str, Any]

    def speaks(self, language: str) -> bool:
        """Of "de-at" it is enough that it speaks "de"."""
        return any(is_same(language, one) for one in self.languages)


def voice_files(model: StoredModel) -> VoiceFiles:
    """Reads the JSON of the one voice in the model's directory, however deep, or beside the .onnx that it is.
    Raises EngineUnavailable."""
    onnx = _onnx_of(model.path)
    config = onnx.with_name(f"{onnx.name}.json")
    for path in (onnx, config):
        if not path.is_file():
            raise _unusable(path, "is missing: a voice of Piper is an .onnx and its .onnx.json")
        try:
            wrong = instead(path)
        except OSError as error:
            raise _unusable(path, f"cannot be read: {error.strerror}") from error
        if wrong is not None:
            raise _unusable(path, wrong)
    told = json.loads(config.read_bytes())
    try:
        speakers = {str(name): int(number) for name, number in told["speaker_id_map"].items()}
        code = told.get("language", {}).get("code") or told["espeak"]["voice"]
        tag = code.replace("_", "-").lower()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unusable(config, f"describes no voice of Piper: it lacks {error}") from error
    languages = dict.fromkeys((tag, tag.partition("-")[0], *model.languages))
    return VoiceFiles(onnx.stem, model, onnx, tuple(languages), speakers, told)


def _onnx_of(path: Path) -> Path:
    if path.suffix == ".onnx":
        return path
    found = [one for one in path.rglob("*.onnx") if one.name != READER.name]
    if len(found) != 1:
        raise _unusable(path, f"holds {len(found) or 'no'} .onnx files: wants one voice")
    return found[0]


def _unusable(path: Path, why: str) -> EngineUnavailable:
    return EngineUnavailable("piper", f"{path} {why}")


class Run:
    """A run of the model, which may be ended from another thread between two of its operators."""

    def __init__(self) -> None:
        import onnxruntime

        self.options = onnxruntime.RunOptions()

    def end(self) -> None:
        self.options.terminate = True


class _Session:
    """onnxruntime's, as Piper uses it, with the options of the run that it is at."""

    def __init__(self, session: Any) -> None:
        self.run_options: Any = None
        self._session = session

    def run(self, names: Any, inputs: Mapping[str, Any]) -> Any:
        return self._session.run(names, inputs, self.run_options)


class LoadedVoice:
    """Get it from `load_voice`. One thread at a time."""

    def __init__(self, voice: Any, session: _Session, runs_on: str) -> None:
        self.runs_on = runs_on
        """cpu or cuda."""
        self.rate_hz = int(voice.config.sample_rate)
        self._voice = voice
        self._session = session

    def say(self, text: str, speaker: int | None, speed: float, run: Run) -> AudioChunk:
        """`speed` 1.0 is the voice's own. Raises EngineError; `run` ended, what it makes is of no use."""
        from piper import SynthesisConfig

        self._session.run_options = run.options
        manner = SynthesisConfig(speaker, length_scale=self._voice.config.length_scale / speed)
        try:
            made = self._voice.synthesize(text, manner)
            pcm = b"".join(chunk.audio_int16_bytes for chunk in made)
        except Exception as error:  # boundary: Piper raises what onnxruntime and espeak-ng raise
            raise EngineError("piper", f"cannot say that: {error}") from error
        return AudioChunk(pcm, self.rate_hz)

    def rehearse(self) -> None:
        """Says something tiny, and runs the model once on the least and the greatest of the ids that the
        JSON has: those of another model may be more than this one knows. Raises EngineError."""
        run = Run()
        self.say(WARM_UP, None, 1.0, run)
        ids = [number for group in self._voice.config.phoneme_id_map.values() for number in group]
        try:
            sound = self._voice.phoneme_ids_to_audio([min(ids), max(ids)])
        except Exception as error:  # boundary: as above
            raise EngineError("piper", f"does not know all ids of its JSON: {error}") from error
        if not np.isfinite(sound).all():
            raise EngineError("piper", "makes no sound, but what is no number")


def load_voice(files: VoiceFiles, device: Device) -> LoadedVoice:
    """Loads the model and warms it; some 1 s for 60 MB. A GPU that fails is a log line and the CPU.

    Raises EngineUnavailable.
    """
    _refuse_download(files)
    try:
        import onnxruntime
        from piper import PiperVoice
        from piper.config import PiperConfig
    except ImportError as error:
        why = f"cannot be loaded: {error}: pip install 'airos-edge[piper]'"
        raise EngineUnavailable("piper", why) from error
    has_cuda = CUDA in onnxruntime.get_available_providers()
    if device == "cuda" and not has_cuda:
        log.warning(
            "piper: this onnxruntime knows no CUDA (pip install onnxruntime-gpu); on the CPU"
        )
    for provider in [CUDA, CPU] if device != "cpu" and has_cuda else [CPU]:
        try:
            session = _session(files.onnx, provider)
            config = PiperConfig.from_dict(dict(files.described))
            named = _Session(session)
            voice = PiperVoice(named, config, download_dir=files.onnx.parent)
            _refuse_mismatch(files, session, config.num_speakers)
            loaded = LoadedVoice(voice, named, "cuda" if provider == CUDA else "cpu")
            loaded.rehearse()
        except EngineUnavailable:
            raise
        except Exception as error:  # boundary: onnxruntime's own errors share no base but this
            why = str(error).removeprefix("piper: ").strip()
            if provider == CPU:
                raise _unusable(files.onnx, f"cannot be used with its JSON: {why}") from error
            log.warning("piper: the GPU fails (%s); on the CPU", why)
        else:
            return loaded
    raise AssertionError("the last provider either loads or raises")


def _session(path: Path, provider: str) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    # One core is left to the ears.
    options.intra_op_num_threads = max(1, min(MOST_THREADS, (os.cpu_count() or 2) - 1))
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A plan is kept for each length of a sentence that there ever was: microsoft/onnxruntime,
    # include/onnxruntime/core/session/onnxruntime_c_api.h, EnableMemPattern.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    own: dict[str, str] = {"cudnn_conv_algo_search": "HEURISTIC"} if provider == CUDA else {}
    session = ort.InferenceSession(str(path), options, providers=[(provider, own)])
    if session.get_providers()[0] != provider:
        raise EngineError("piper", f"{provider} could not be loaded")
    return session


def _refuse_mismatch(files: VoiceFiles, session: Any, speakers: int) -> None:
    inputs = {one.name for one in session.get_inputs()}
    if not {"input", "input_lengths", "scales"} <= inputs:
        raise _unusable(files.onnx, f"is no voice of Piper: it takes {', '.join(sorted(inputs))}")
    if ("sid" in inputs) != (speakers > 1):
        why = "several speakers, and" if speakers > 1 else "one speaker, and"
        raise _unusable(files.onnx, f"does not fit its JSON, which has {why} the model does not")


def _refuse_download(files: VoiceFiles) -> None:
    """Piper would fetch what reads Chinese from the internet by itself, when it is needed first."""
    kind = files.described.get("phoneme_type", "espeak")
    if kind in EXTRAS and locate(EXTRAS[kind][0]) is None:
        extra = EXTRAS[kind][1]
        why = f"wants more of Piper to read {kind}: pip install 'piper-tts[{extra}]'"
        raise _unusable(files.onnx, why)
    reader = files.onnx.parent / READER
    if kind == "pinyin" and not reader.is_file():
        raise _unusable(reader, "is missing, by which Piper reads Chinese")

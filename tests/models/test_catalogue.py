"""The catalogue that comes with airos, and what is recommended of it."""

import json
from pathlib import Path

import pytest
from onnx import helper

from airos_edge.engines import registry, whisper
from airos_edge.engines.llama_file import file_of
from airos_edge.engines.piper_voice import voice_files
from airos_edge.engines.sherpa_kinds import kind_of
from airos_edge.errors import ModelError
from airos_edge.models.catalogue import Cost, Entry, entries, find, load, recommended
from airos_edge.models.hub import SHA1
from airos_edge.models.recognise import recognise
from airos_edge.models.stored import StoredModel, Task
from tests.onnx_files import FLOAT, save

OWL = """
owl-small:
  task: tts
  engine: owl
  repo: owl/model
  size_mb: 5
  languages: [de]
  cost: {pi5: 0.1, pc: 0.05, memory_mb: 100}
  recommended: ["*"]
  files: [deep/voice.onnx]
"""


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_an_entry_says_all_that_a_choice_needs(entry: Entry) -> None:
    assert entry.licence
    assert entry.size_mb > 0
    assert 0 < entry.cost.pc <= entry.cost.pi5
    assert entry.cost.memory_mb > 0
    assert 0 < entry.quality <= 100
    assert entry.engine in {"whisper", "sherpa", "piper", "llama", "openwakeword", "microwakeword"}
    assert entry.repo.count("/") == 1
    assert all(path and not path.startswith("/") for path in entry.files)
    assert len({path.rpartition("/")[2] for path in entry.files}) == len(entry.files)
    assert entry.revision == "main" or SHA1.fullmatch(entry.revision)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "zh", "de-at"])
@pytest.mark.parametrize("task", ["asr", "tts", "llm"])
def test_each_language_of_ours_has_a_choice_for_each_task(language: str, task: Task) -> None:
    found = recommended(task, language)
    assert found
    assert [entry.size_mb for entry in found] == sorted(entry.size_mb for entry in found)
    assert all(entry.speaks(language) and entry.task == task for entry in found)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "zh"])
@pytest.mark.parametrize("task", ["asr", "tts"])
def test_each_language_has_a_small_model_and_a_better_one(language: str, task: Task) -> None:
    found = [entry for entry in entries() if entry.task == task and entry.speaks(language)]
    smallest = min(found, key=lambda entry: entry.size_mb)
    assert any(entry.quality > smallest.quality for entry in found)


SAYS = {
    "zipformer": {"decode_chunk_len": 32},
    "sense_voice": {"lang_auto": 0, "lfr_window_size": 7},
    "paraformer": {"lfr_window_size": 7},
    "kokoro": {"style_dim": 512, "n_speakers": 53},
    "vits": {"n_speakers": 1, "comment": "melo"},
}
"""What the ONNX files of each kind of sherpa-onnx's models say of themselves, as far as kinds are told by it."""
PIPER = {"speaker_id_map": {}, "espeak": {"voice": "en-us"}}


def stored(entry: Entry, directory: Path) -> StoredModel:
    """Its files by their names, with as much in them as tells one kind from another."""
    path = directory / entry.name
    path.mkdir()
    for name in (path.rpartition("/")[2] for path in entry.files):
        match Path(name).suffix:
            case ".onnx":
                nodes = [helper.make_node("Identity", ["x"], ["y"])]
                x, y = (("x", FLOAT, [1]),), (("y", FLOAT, [1]),)
                save(path / name, nodes, x, y, {}, SAYS.get(entry.kind, {}))
            case ".json":
                (path / name).write_text(json.dumps(PIPER))
            case ".gguf":
                (path / name).write_bytes(b"GGUF")
            case _:
                (path / name).write_bytes(b"something")
    return StoredModel(entry.name, entry.task, entry.engine, path, entry.kind, entry.languages)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_the_files_of_an_entry_are_those_that_its_engine_looks_for(
    entry: Entry, tmp_path: Path
) -> None:
    model = stored(entry, tmp_path)
    found = recognise(model.path)
    assert (found.task, found.engine) == (entry.task, entry.engine)
    match entry.engine:
        case "sherpa":
            named = kind_of(model.path, entry.task, entry.kind)
            assert named.kind == kind_of(model.path, entry.task).kind, (
                "it would be seen without too"
            )
            used = {Path(each).name for path in named.files.values() for each in path.split(",")}
            assert used == {file.name for file in model.path.iterdir()}, "none is fetched in vain"
        case "piper":
            assert voice_files(model).onnx.parent == model.path
        case "llama":
            assert file_of("small", entry.name, [model]).parent == model.path
        case _:
            assert {*whisper.FILES} < {file.name for file in model.path.iterdir()}


def test_nothing_is_recommended_for_a_language_nobody_speaks() -> None:
    assert recommended("tts", "tlh") == []


def test_a_name_that_is_nearly_one_gets_that(tmp_path: Path) -> None:
    assert find("whisper-small", entries()).engine == "whisper"
    with pytest.raises(ModelError, match=r"no model '[^']+'; did you mean whisper-small\?$"):
        find("wisper-small", entries())


def test_a_catalogue_is_read_with_what_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "owls.yaml").write_text(OWL)
    owl, *_ = owls = load(tmp_path / "owls.yaml")
    assert owl.files == ("deep/voice.onnx",)
    assert (owl.revision, owl.cost) == ("main", Cost(0.1, 0.05, 100))
    assert recommended("tts", "de-at", owls) == [owl]
    assert recommended("tts", "en", owls) == []


@pytest.mark.parametrize("text", ["", "[]", "owl: {}", "a: b: c", OWL.replace("tts", "dance")])
def test_what_is_no_catalogue_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "owls.yaml").write_text(text)
    with pytest.raises(ModelError, match="is no catalogue of models"):
        load(tmp_path / "owls.yaml")


def test_engines_of_the_catalogue_that_are_built_in_are_known_to_the_registry() -> None:
    for entry in entries():
        if entry.task in ("asr", "tts"):
            rows = {row.name: row for row in registry.engines(entry.task)}
            assert entry.engine not in rows or rows[entry.engine].runs_models

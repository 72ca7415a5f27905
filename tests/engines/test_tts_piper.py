"""Piper's own library on voices that hum: text and sound stay together, each voice when it is asked for."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import onnxruntime
import pytest

from airos_edge.engines import piper_voice
from airos_edge.engines import tts_piper as module
from airos_edge.engines.choosing import choose
from airos_edge.engines.espeak import load
from airos_edge.engines.settings import TtsSettings
from airos_edge.engines.tts_piper import LONG, PART, PiperTts, open_tts, parts_of
from airos_edge.engines.wanted import WantedTts
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.models.stored import StoredModel, stored_models
from airos_edge.voice.ports import Place, Speaking, Speech
from tests.piper_model import RATE_HZ, SYMBOLS, write_onnx
from tests.piper_model import piper_voice as make_voice

ANSWER = "Turned on the kitchen light."
LONG_ANSWER = (
    "The kitchen light is on, and so are the lamps in the hall and in the cellar, where you were last "
    "night; the one in the garden is not, since nobody has been there."
)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of models: two English voices, one of several speakers, and German, French and slow ones."""
    directory = tmp_path_factory.mktemp("models")
    make_voice(directory, quality=3)
    make_voice(directory, "en_GB-hum-low", "en_GB", quality=2)
    make_voice(directory, "en_US-many-low", speakers=("ann", "bob", "12"), quality=1)
    make_voice(directory, "de_DE-hum-low", "de_DE", quality=2)
    make_voice(directory, "fr_FR-hum-low", "fr_FR", quality=2)
    make_voice(directory, "es_ES-slow-low", "es_ES", work=600)
    return directory


def opened(box: Path, **settings: Any) -> PiperTts:
    models = sorted(stored_models(box), key=lambda model: -model.quality)
    wanted = WantedTts(TtsSettings(**settings), model=models[0], models=tuple(models))
    tts = open_tts(wanted)
    assert isinstance(tts, PiperTts)
    return tts


async def given(*sentences: str) -> AsyncIterator[str]:
    for sentence in sentences:
        yield sentence


async def speak(tts: PiperTts, *sentences: str, **how: Any) -> list[Speech]:
    return [piece async for piece in tts.speak(given(*sentences), Speaking(**how))]


def ms(pieces: Sequence[Speech]) -> float:
    return sum(piece.chunk.ms for piece in pieces)


def pitch_hz(pieces: Sequence[Speech]) -> float:
    sound = np.concatenate([piece.chunk.as_floats() for piece in pieces])
    return float(np.argmax(np.abs(np.fft.rfft(sound)))) * RATE_HZ / len(sound)


# ---- speaking -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sentences",
    [
        (ANSWER,),
        ("It is 10:30, or 3.5. ", ' She said: "don\'t" — e.g. 🙂 now.', " Third\n"),
        (LONG_ANSWER,),
        ("[[ h ]] (or not)",),
        ("...",),
        (" ", ANSWER),
    ],
)
async def test_joined_the_texts_are_what_was_given(box: Path, sentences: tuple[str, ...]) -> None:
    pieces = await speak(opened(box), *sentences)
    assert "".join(piece.text for piece in pieces) == "".join(sentences)
    assert {piece.chunk.rate_hz for piece in pieces} == {RATE_HZ}


async def test_the_sound_is_what_the_library_itself_makes_of_the_sentence(box: Path) -> None:
    from piper import PiperVoice

    path = box / "en_US-hum-low" / "en_US-hum-low.onnx"
    bare = b"".join(chunk.audio_int16_bytes for chunk in PiperVoice.load(path).synthesize(ANSWER))
    pieces = await speak(opened(box), ANSWER)
    assert b"".join(piece.chunk.pcm for piece in pieces) == bare


async def test_each_piece_is_a_word_with_its_share_of_the_sound(box: Path) -> None:
    pieces = await speak(opened(box), ANSWER)
    assert [piece.text.strip() for piece in pieces] == ANSWER.split()
    shares = [piece.chunk.ms / ms(pieces) for piece in pieces]
    letters = [len(piece.text) / len(ANSWER) for piece in pieces]
    assert shares == pytest.approx(letters, abs=0.02)


async def test_a_sentence_is_said_before_the_next_one_is_written(box: Path) -> None:
    written: asyncio.Queue[str] = asyncio.Queue()

    async def text() -> AsyncIterator[str]:
        while True:
            yield await written.get()

    written.put_nowait(ANSWER)
    said = ""
    async with aclosing(opened(box).speak(text(), Speaking())) as speech:
        while said != ANSWER:
            said += (await anext(speech)).text


async def test_a_long_sentence_is_begun_when_its_first_clause_is_made(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    say = piper_voice.LoadedVoice.say

    def noted(self: Any, text: str, *rest: Any) -> Any:
        made.append(text)
        return say(self, text, *rest)

    tts = opened(box)
    monkeypatch.setattr(piper_voice.LoadedVoice, "say", noted)
    async with aclosing(tts.speak(given(LONG_ANSWER), Speaking())) as speech:
        await anext(speech)
        assert made == [LONG_ANSWER[: LONG_ANSWER.index(" where")]]


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        (ANSWER, 1),
        ("No, " + "not " * 10 + "at all.", 1),
        (LONG_ANSWER, 2),
        ("word " * 60, 1),
        ("word " * 60 + ", ok.", 1),
    ],
)
def test_only_a_long_sentence_is_cut_and_no_part_is_a_scrap(sentence: str, parts: int) -> None:
    cut = list(parts_of(sentence))
    assert (len(cut), "".join(cut)) == (parts, sentence)
    assert parts == 1 or (min(map(len, cut)) >= PART and len(sentence) > LONG)


async def test_speed_and_the_configured_rate_multiply(box: Path) -> None:
    usual = ms(await speak(opened(box), ANSWER))
    fast = ms(await speak(opened(box, rate=1.25), ANSWER, speed=1.6))
    assert fast == pytest.approx(usual / 2, rel=0.01)


# ---- voices -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("configured", "how", "voice"),
    [
        (None, {}, "en_US-hum-low"),
        (None, {"language": "en-gb"}, "en_GB-hum-low"),
        (None, {"language": "de"}, "de_DE-hum-low"),
        (None, {"language": "de-AT"}, "de_DE-hum-low"),
        ("de_DE-hum-low", {}, "de_DE-hum-low"),
        ("de_DE-hum-low", {"language": "fr"}, "fr_FR-hum-low"),
        ("de_DE-hum-low", {"voice": "en_GB-hum-low"}, "en_GB-hum-low"),
    ],
)
async def test_the_voice_asked_for_comes_first_then_in_the_boxs_language_the_configured_one(
    box: Path, configured: str | None, how: dict[str, str], voice: str
) -> None:
    tts = opened(box, voice=configured)
    assert await speak(tts, ANSWER, **how) == await speak(tts, ANSWER, voice=voice)
    spoken, _ = tts.find(Speaking(**how))
    assert spoken.name == voice


async def test_a_speaker_goes_by_name_or_number(box: Path) -> None:
    tts = opened(box)
    voices = ("en_US-many-low", "en_US-many-low#ann", "en_US-many-low#bob", "en_US-many-low#1")
    usual, ann, bob, second = [await speak(tts, ANSWER, voice=voice) for voice in voices]
    assert usual == ann
    assert bob == second
    assert pitch_hz(bob) > pitch_hz(ann) + 30


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"voice": "en_US-hum-lo"}, r"no voice 'en_US-hum-lo'; try en_US-hum-low"),
        ({"voice": "nobody"}, r"no voice 'nobody'; try en_US-hum-low or"),
        ({"voice": "en_US-many-low#bobb"}, r"has no speaker 'bobb'; try bob"),
        ({"voice": "en_US-many-low#77"}, r"has no speaker '77'; try ann or bob"),
        ({"voice": "en_US-hum-low#ann"}, r"has no speaker 'ann'; it has only one"),
        ({"language": "xx"}, r"no voice for 'xx', but de, de-de, en"),
    ],
)
async def test_an_unknown_voice_is_an_error_that_names_some(
    box: Path, how: dict[str, str], told: str
) -> None:
    with pytest.raises(EngineError, match=told):
        await speak(opened(box), ANSWER, **how)


def test_an_unknown_configured_voice_is_told_when_the_engine_is_opened(box: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"piper: there is no voice 'nobody'; try"):
        opened(box, voice="nobody")


def test_the_voices_of_the_language_are_named_first_each_before_its_speakers(box: Path) -> None:
    voices = opened(box).voices("de")
    assert next(iter(voices.items())) == ("de_DE-hum-low", "de-de")
    names = [*voices]
    many = names.index("en_US-many-low")
    assert names[many : many + 4] == [
        "en_US-many-low",
        *(f"en_US-many-low#{speaker}" for speaker in ("ann", "bob", "12")),
    ]


async def test_a_voice_is_loaded_when_it_is_asked_for_and_the_longest_unused_one_goes(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def noted(files: piper_voice.VoiceFiles, device: Any) -> Any:
        loaded.append(files.languages[-1])
        return piper_voice.load_voice(files, device)

    monkeypatch.setattr(module, "load_voice", noted)
    tts = opened(box)
    assert loaded == ["en"]
    for language in ("de", "en", "fr", "en", "de"):
        await speak(tts, "Ja.", language=language)
    assert loaded == ["en", "de", "fr", "de"]


async def test_several_may_speak_at_once_each_in_its_own_voice(box: Path) -> None:
    tts = opened(box)
    voices = ("en_US-hum-low", "de_DE-hum-low", "en_US-many-low#bob")
    alone = [await speak(tts, ANSWER, voice=voice) for voice in voices]
    together = await asyncio.gather(*(speak(tts, ANSWER, voice=voice) for voice in voices))
    assert together == alone


async def test_espeak_and_piper_speak_in_one_process_at_once(box: Path) -> None:
    """Each has an espeak-ng of its own, with a state for the whole process."""
    tts, espeak = opened(box), load()
    alone = await speak(tts, ANSWER, language="de")
    usual = len(espeak.say(ANSWER, "en-us").pcm)

    def lengths() -> list[int]:
        return [len(espeak.say(ANSWER, "en-us").pcm) for _ in range(50)]

    together = asyncio.to_thread(lengths)
    said, *pieces = await asyncio.gather(
        together, *(speak(tts, ANSWER, language="de") for _ in range(20))
    )
    assert all(again == alone for again in pieces)
    assert said == pytest.approx([usual] * 50, rel=0.002)


# ---- stopping -----------------------------------------------------------------------------------


@pytest.mark.real_time
async def test_cancelled_the_models_run_ends_and_the_next_one_does_not_wait_for_it(
    box: Path,
) -> None:
    tts = opened(box)
    await speak(tts, "Hola.", language="es")
    started = perf_counter()
    await speak(tts, "Hola.", language="es")
    whole_s = perf_counter() - started
    usual = await speak(tts, ANSWER)
    started = perf_counter()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(whole_s / 5):
            await speak(tts, "Hola.", language="es")
    assert await speak(tts, ANSWER) == usual
    assert perf_counter() - started < whole_s * 0.6


async def test_closed_between_two_sentences_it_makes_no_more(box: Path) -> None:
    asked = 0

    async def text() -> AsyncIterator[str]:
        nonlocal asked
        for _ in range(100):
            asked += 1
            yield ANSWER

    speech = opened(box).speak(text(), Speaking())
    await anext(speech)
    await speech.aclose()
    assert asked == 1


async def test_when_it_is_closed_its_thread_ends(box: Path) -> None:
    tts = opened(box)
    await speak(tts, ANSWER)
    await tts.aclose()
    with pytest.raises(RuntimeError, match="shutdown"):
        await speak(tts, ANSWER)


async def test_five_hundred_runs_take_no_more_memory(box: Path) -> None:
    tts = opened(box)

    async def run(times: int) -> None:
        for number in range(times):
            await speak(tts, f"{ANSWER} {'very ' * (number % 40)}well.", voice="en_US-hum-low")
            if number % 50 == 0:
                await speak(tts, "Ja.", language=("de", "fr")[number // 50 % 2])

    await run(150)
    before_kb = resident_kb()
    await run(500)
    assert resident_kb() - before_kb < 6_000


def resident_kb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


# ---- wrong files --------------------------------------------------------------------------------


def refusal(model: StoredModel, **settings: Any) -> str:
    with pytest.raises(EngineUnavailable) as raised:
        open_tts(WantedTts(TtsSettings(**settings), model=model, models=(model,)))
    assert raised.value.engine == "piper"
    return str(raised.value)


def without_json(onnx: Path) -> None:
    onnx.with_name(f"{onnx.name}.json").unlink()


def pointer(onnx: Path) -> None:
    onnx.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 63201294\n")


def truncated(onnx: Path) -> None:
    onnx.write_bytes(onnx.read_bytes()[: onnx.stat().st_size // 2])


def page(onnx: Path) -> None:
    onnx.write_text("<!DOCTYPE html><html><body>404</body></html>")


def no_json(onnx: Path) -> None:
    onnx.with_name(f"{onnx.name}.json").write_text("{")


def other_json(onnx: Path) -> None:
    onnx.with_name(f"{onnx.name}.json").write_text('{"model_type": "bert"}')


def second(onnx: Path) -> None:
    (onnx.parent / "another.onnx").write_bytes(onnx.read_bytes())


def more_ids(onnx: Path) -> None:
    config = onnx.with_name(f"{onnx.name}.json")
    told = json.loads(config.read_text())
    told["phoneme_id_map"]["ʭ"] = [SYMBOLS + 3]
    config.write_text(json.dumps(told))


def several_speakers(onnx: Path) -> None:
    config = onnx.with_name(f"{onnx.name}.json")
    told = json.loads(config.read_text()) | {"num_speakers": 2, "speaker_id_map": {"a": 0, "b": 1}}
    config.write_text(json.dumps(told))


def one_speaker(onnx: Path) -> None:
    write_onnx(onnx, has_speakers=True)


def another_model(onnx: Path) -> None:
    from airos_edge.engines import locate

    silero = locate("faster_whisper/assets/silero_vad_v6.onnx")
    assert silero is not None
    onnx.write_bytes(silero.read_bytes())


def no_such_voice(onnx: Path) -> None:
    config = onnx.with_name(f"{onnx.name}.json")
    told = json.loads(config.read_text()) | {"espeak": {"voice": "klingon-x"}}
    config.write_text(json.dumps(told))


def chinese(onnx: Path) -> None:
    config = onnx.with_name(f"{onnx.name}.json")
    config.write_text(json.dumps(json.loads(config.read_text()) | {"phoneme_type": "pinyin"}))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (without_json, r"\.onnx\.json is missing"),
        (pointer, r"\.onnx is a Git-LFS pointer"),
        (page, r"\.onnx is a web page"),
        (truncated, r"\.onnx cannot be used with its JSON: .*"),
        (no_json, r"\.onnx\.json is no JSON"),
        (other_json, r"\.onnx\.json describes no voice of Piper: it lacks 'speaker_id_map'"),
        (second, r"holds 2 \.onnx files"),
        (more_ids, r"does not know all ids of its JSON"),
        (several_speakers, r"does not fit its JSON, which has several speakers"),
        (one_speaker, r"does not fit its JSON, which has one speaker"),
        (another_model, r"is no voice of Piper: it takes "),
        (no_such_voice, r"cannot be used with its JSON"),
        (chinese, r"wants more of Piper to read pinyin: pip install 'piper-tts\[zh\]'"),
    ],
)
def test_wrong_files_are_told_in_a_sentence(tmp_path: Path, spoil: Any, told: str) -> None:

    model = make_voice(tmp_path)
    spoil(model.path / f"{model.name}.onnx")
    message = refusal(model)
    assert re.search(told, message), message
    assert "\n" not in message


def test_without_a_model_it_says_how_to_see_which_there_are() -> None:
    with pytest.raises(EngineUnavailable, match="airos models list"):
        open_tts(WantedTts())


async def test_a_broken_voice_beside_a_good_one_is_left_out_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = make_voice(tmp_path), make_voice(tmp_path, "de_DE-hum-low", "de_DE")
    truncated(bad.path / f"{bad.name}.onnx")
    gone = make_voice(tmp_path, "fr_FR-hum-low", "fr_FR")
    without_json(gone.path / f"{gone.name}.onnx")
    tts = open_tts(WantedTts(model=good, models=(good, bad, gone)))
    assert isinstance(tts, PiperTts)
    assert "Going on without the voice fr_FR-hum-low" in caplog.text
    with pytest.raises(EngineUnavailable, match="de_DE-hum-low"):
        await speak(tts, ANSWER, language="de")
    assert await speak(tts, ANSWER)


async def test_a_model_may_be_given_by_the_path_of_its_file(tmp_path: Path) -> None:
    model = make_voice(tmp_path)
    onnx = replace(model, name="hum.onnx", path=model.path / f"{model.name}.onnx", languages=())
    tts = open_tts(WantedTts(model=onnx))
    assert isinstance(tts, PiperTts)
    assert "".join(piece.text for piece in await speak(tts, ANSWER)) == ANSWER


async def test_a_voice_may_lie_as_deep_in_its_directory_as_on_the_hub(tmp_path: Path) -> None:
    model = make_voice(tmp_path)
    deep = model.path / "en" / "en_US" / "hum"
    deep.mkdir(parents=True)
    for file in model.path.glob("*.onnx*"):
        file.rename(deep / file.name)
    tts = open_tts(WantedTts(model=model))
    assert isinstance(tts, PiperTts)
    assert [*tts.voices("en")] == ["en_US-hum-low"]


def test_auto_takes_it_before_espeak_where_there_is_a_voice_of_the_language(box: Path) -> None:
    stored = stored_models(box)
    best = choose("tts", stored=stored)
    assert (best.engine, best.model and best.model.name) == ("piper", "en_US-hum-low")
    assert "espeak" in [other.engine for other in best.others]
    assert choose("tts", language="de", stored=stored).engine == "piper"
    assert choose("tts", language="pl", stored=stored).engine == "espeak"


# ---- where it computes --------------------------------------------------------------------------


def test_a_gpu_that_is_not_there_is_a_log_line_and_the_cpu(
    box: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tts = opened(box, device="cuda")
    assert tts.runs_on == "cpu"
    assert "knows no CUDA" in caplog.text


def test_a_gpu_that_fails_is_a_log_line_and_the_cpu(
    box: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [piper_voice.CUDA, piper_voice.CPU]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: both)
    with pytest.warns(UserWarning, match="CUDA"):
        tts = opened(box)
    assert tts.runs_on == "cpu"
    assert "the GPU fails" in caplog.text
    caplog.clear()
    assert opened(box, device="cpu").runs_on == "cpu"
    assert caplog.record_tuples == []


async def test_its_place_is_the_box(box: Path) -> None:
    tts = opened(box)
    assert (tts.name, tts.place) == ("piper", Place.LOCAL)

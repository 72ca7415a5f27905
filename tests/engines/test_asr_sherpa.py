"""Speech to text by sherpa-onnx's own library, on models that hear tones."""

import asyncio
import gc
import os
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from airos_edge.engines.asr_sherpa import StreamingAsr, WholeAsr, open_asr
from airos_edge.engines.choosing import choose
from airos_edge.engines.settings import AsrSettings
from airos_edge.engines.wanted import WantedAsr
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.models.stored import StoredModel
from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.ports import Asr, Hints, Transcript
from airos_edge.voice.utterance import Ended, EndReason, Utterance
from tests.sherpa_funasr import paraformer, sense_voice, streaming_paraformer
from tests.sherpa_models import WORDS, zipformer
from tests.tones import tones

MAKE: dict[str, Callable[[Path], Path]] = {
    "zipformer": zipformer,
    "streaming_paraformer": streaming_paraformer,
    "paraformer": paraformer,
    "sense_voice": sense_voice,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    directory = tmp_path_factory.mktemp("models")

    def make(kind: str) -> Path:
        return directory / kind if (directory / kind).exists() else MAKE[kind](directory / kind)

    return make


def opened(path: Path, kind: str = "", settings: AsrSettings = AsrSettings()) -> Asr:  # noqa: B008
    model = StoredModel(path.name, "asr", "sherpa", path, kind)
    return open_asr(WantedAsr(settings, model=model))


def heard(*bands: int, wake_word: str | None = None, piece_ms: int = 20) -> Utterance:
    """A recording that has ended."""
    return recorded(tones(*bands), wake_word, piece_ms)


def recorded(sound: AudioChunk, wake_word: str | None = None, piece_ms: int = 20) -> Utterance:
    utterance = Utterance("item", "speech", 0, wake_word)
    for piece in sound.pieces(samples_of(piece_ms)):
        utterance.write(piece)
    utterance.end(Ended(EndReason.SILENCE, utterance.ms))
    return utterance


async def transcribed(asr: Asr, utterance: Utterance, hints: Hints = Hints()) -> list[Transcript]:  # noqa: B008
    async with aclosing(asr.transcribe(utterance, hints)) as transcripts:
        return [transcript async for transcript in transcripts]


async def final(asr: Asr, utterance: Utterance) -> Transcript:
    *_, last = await transcribed(asr, utterance)
    assert last.final
    return last


# ---- in step ------------------------------------------------------------------------------------


async def test_a_zipformer_tells_what_it_hears_while_it_is_said(
    made: Callable[[str], Path],
) -> None:
    asr = opened(made("zipformer"))
    utterance = Utterance("item", "speech", 0)
    async with aclosing(asr.transcribe(utterance, Hints())) as transcripts:
        for piece in tones(1, 2, 3, 0).pieces(samples_of(20)):
            utterance.write(piece)
        assert (await anext(transcripts)).text == "turn"
        assert (await anext(transcripts)).text == "turn on"
        assert await anext(transcripts) == Transcript("turn on the")
        for piece in tones(4, 0, 0).pieces(samples_of(20)):
            utterance.write(piece)
        assert await anext(transcripts) == Transcript("turn on the light")
        utterance.end(Ended(EndReason.SILENCE, utterance.ms))
        assert await anext(transcripts) == Transcript("turn on the light", final=True)


async def test_its_capitals_are_written_small_and_its_pieces_of_words_joined(
    made: Callable[[str], Path],
) -> None:
    assert (await final(opened(made("zipformer")), heard(3, 6, 7))).text == "the lamps"


async def test_the_last_word_is_heard_though_the_recording_ends_with_it(
    made: Callable[[str], Path],
) -> None:
    sound = tones(1, 2, ms=200, quiet_ms=0)
    assert (await final(opened(made("zipformer")), recorded(sound))).text == "turn on"


async def test_a_paraformer_writes_chinese_without_spaces_in_step(
    made: Callable[[str], Path],
) -> None:
    transcripts = await transcribed(opened(made("streaming_paraformer")), heard(1, 2, 3, 6, 7, 8))
    assert transcripts[-1] == Transcript("打开灯二十度", final=True)
    assert transcripts[0] == Transcript("打开")


async def test_several_who_speak_at_once_have_each_their_own_words(
    made: Callable[[str], Path],
) -> None:
    asr = opened(made("zipformer"))
    said = {"turn on": (1, 2), "the light": (3, 4), "kitchen lamp": (5, 6), "off": (8,)}
    finals = await asyncio.gather(*(final(asr, heard(*bands)) for bands in said.values()))
    assert [transcript.text for transcript in finals] == [*said]


async def test_nobody_waits_until_another_has_been_heard_to_the_end(
    made: Callable[[str], Path],
) -> None:
    asr = opened(made("zipformer"))
    long = asyncio.ensure_future(final(asr, heard(*[1, 2] * 200)))
    assert (await final(asr, heard(3, 4))).text == "the light"
    assert not long.done()
    assert (await long).text == " ".join(["turn on"] * 200)


async def test_who_is_cancelled_leaves_the_model_to_others(made: Callable[[str], Path]) -> None:
    asr = opened(made("zipformer"))
    utterance = Utterance("item", "speech", 0)
    for piece in tones(1, 2).pieces(samples_of(20)):
        utterance.write(piece)
    waiting = asyncio.ensure_future(transcribed(asr, utterance))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert (await final(asr, heard(3, 4))).text == "the light"


# ---- of the whole -------------------------------------------------------------------------------


async def test_sense_voice_tells_the_language_and_keeps_its_tags_to_itself(
    made: Callable[[str], Path],
) -> None:
    assert await transcribed(opened(made("sense_voice")), heard(1, 2, 3, 8)) == [
        Transcript("打开灯。", final=True, language="zh")
    ]


async def test_sense_voice_that_heard_nobody_speak_is_believed(tmp_path: Path) -> None:
    asr = opened(sense_voice(tmp_path, language="nospeech"))
    assert await transcribed(asr, heard(1, 2)) == [Transcript("", final=True)]


async def test_what_is_nothing_but_a_mark_is_nothing(made: Callable[[str], Path]) -> None:
    assert (await final(opened(made("sense_voice")), heard(8))).text == ""


async def test_a_paraformer_writes_latin_words_apart_and_joined_from_their_pieces(
    made: Callable[[str], Path],
) -> None:
    assert (await final(opened(made("paraformer")), heard(1, 2, 4, 5, 3))).text == "打开 lights 灯"


@pytest.mark.parametrize(("kind", "text"), [("paraformer", "打开"), ("sense_voice", "打开")])
async def test_it_is_heard_again_while_it_grows_and_once_more_when_it_falls_silent(
    kind: str, text: str, made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asr, utterance = opened(made(kind)), Utterance("item", "speech", 0)
    sound = tones(1, 2)
    async with aclosing(asr.transcribe(utterance, Hints())) as transcripts:
        silence = AudioChunk(bytes(2 * samples_of(400)))
        for piece in (*sound.pieces(samples_of(20)), *silence.pieces(samples_of(20))):
            utterance.write(piece)
        told = await anext(transcripts)
        assert (told.text, told.final) == (text, False)
        monkeypatch.setattr(asr, "_hear", None)  # what was heard is not heard again
        utterance.end(Ended(EndReason.SILENCE, round(sound.ms) - 100))
        final = await anext(transcripts)
        assert final == replace(told, final=True)


# ---- both ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MAKE)
async def test_a_wake_word_in_front_is_no_part_of_the_text(
    kind: str, made: Callable[[str], Path]
) -> None:
    asr = opened(made(kind))
    alone, *words = (await final(asr, heard(4, 5, 1))).text.split()
    woken = await final(asr, heard(4, 5, 1, wake_word=f"hey_{alone}"))
    assert woken.text == " ".join(words)


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("ms", [0, 20, 60, 3000])
async def test_silence_is_nothing_however_short(
    kind: str, ms: int, made: Callable[[str], Path]
) -> None:
    silence = recorded(AudioChunk(bytes(2 * samples_of(ms))))
    assert await transcribed(opened(made(kind)), silence) == [Transcript("", final=True)]


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("piece_ms", [7, 333, 5000])
async def test_it_is_the_same_however_the_sound_comes(
    kind: str, piece_ms: int, made: Callable[[str], Path]
) -> None:
    asr = opened(made(kind))
    usual = await final(asr, heard(1, 2, 3))
    assert await final(asr, heard(1, 2, 3, piece_ms=piece_ms)) == usual
    assert usual.text


@pytest.mark.parametrize("kind", MAKE)
async def test_five_hundred_utterances_leave_nothing_behind(
    kind: str, made: Callable[[str], Path]
) -> None:
    asr, utterance = opened(made(kind)), recorded(tones(1, ms=120, quiet_ms=40))
    for _ in range(100):
        await final(asr, utterance)
    before = _memory_bytes()
    for _ in range(400):
        await final(asr, utterance)
    assert _memory_bytes() - before < 2_000_000


def _memory_bytes() -> int:
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1])
    return resident * os.sysconf("SC_PAGE_SIZE")


async def test_closed_it_hears_no_more(made: Callable[[str], Path]) -> None:
    asr = opened(made("zipformer"))
    assert isinstance(asr, StreamingAsr)
    await asr.aclose()
    with pytest.raises(EngineError, match="sherpa: decoding failed"):
        await transcribed(asr, heard(1))


# ---- opening ------------------------------------------------------------------------------------


def test_it_says_what_it_runs_on(made: Callable[[str], Path]) -> None:
    asr = opened(made("sense_voice"), settings=AsrSettings(device="cuda"))
    assert isinstance(asr, WholeAsr)
    assert asr.runs_on == "cpu"


def test_a_model_may_say_of_which_kind_it_is(made: Callable[[str], Path]) -> None:
    assert isinstance(opened(made("paraformer"), "paraformer"), WholeAsr)
    with pytest.raises(EngineUnavailable, match=r"lacks .*encoder"):
        opened(made("paraformer"), "zipformer")


def test_tokens_of_another_model_are_refused_and_end_no_process(tmp_path: Path) -> None:
    """The library looks a token up that is not there, and leaves."""
    zipformer(tmp_path)
    (tmp_path / "tokens.txt").write_text("<blk> 0 and more\n")
    with pytest.raises(
        EngineUnavailable, match="sherpa-onnx cannot run it: Error: <blk> 0 and more"
    ):
        opened(tmp_path)


async def test_a_token_that_is_missing_fails_the_utterance_only(tmp_path: Path) -> None:
    asr = opened(zipformer(tmp_path))
    (tmp_path / "tokens.txt").write_text(
        "\n".join(f"{word} {i}" for i, word in enumerate(WORDS[:3]))
    )
    few = opened(tmp_path)
    with pytest.raises(EngineError, match="sherpa: decoding failed"):
        await transcribed(few, heard(1, 5))
    assert (await final(asr, heard(1, 5))).text == "turn kitchen"


def test_without_a_model_it_says_what_shows_those_there_are() -> None:
    with pytest.raises(EngineUnavailable, match="airos models list"):
        open_asr(WantedAsr())


def test_auto_takes_it_for_a_language_that_a_model_of_it_speaks(tmp_path: Path) -> None:
    model = StoredModel("sense", "asr", "sherpa", tmp_path, languages=("zh", "en"), quality=5)
    choice = choose("asr", language="zh", installed=lambda part: True, stored=[model])
    assert (choice.engine, choice.model) == ("sherpa", model)

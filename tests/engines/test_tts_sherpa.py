"""Speech by sherpa-onnx's own library, on models that say tones."""

import asyncio
import gc
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
import soundfile

from airos_edge.engines import tts_sherpa
from airos_edge.engines.settings import CloneSettings, TtsSettings, refuse_without_consent
from airos_edge.engines.tts_sherpa import SherpaTts, open_tts
from airos_edge.engines.wanted import WantedTts
from airos_edge.errors import ConfigError, EngineError, EngineUnavailable
from airos_edge.models.stored import StoredModel
from airos_edge.voice.ports import Speaking, Speech
from tests.sherpa_clones import VOCOS_HZ, zipvoice
from tests.sherpa_voices import HIFIGAN_HZ, RATE_HZ, SAMPLES_OF_TOKEN, kokoro, matcha, piper, vits

MAKE: dict[str, Callable[[Path], Path]] = {
    "vits": vits,
    "piper": piper,
    "matcha": matcha,
    "kokoro": kokoro,
}
CONSENT = "Maria Schmidt, 2026-11-01"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], StoredModel]:
    directory = tmp_path_factory.mktemp("models")

    def make(kind: str) -> StoredModel:
        path = directory / kind
        return stored(path if path.exists() else MAKE[kind](path))

    return make


def stored(path: Path, *languages: str) -> StoredModel:
    return StoredModel(path.name, "tts", "sherpa", path, languages=languages)


def opened(*models: StoredModel, language: str = "en", **settings: object) -> SherpaTts:
    wanted = WantedTts(TtsSettings(**settings), language, models[0], models)  # type: ignore[arg-type]
    tts = open_tts(wanted)
    assert isinstance(tts, SherpaTts)
    return tts


async def sentences(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text


async def spoken(tts: SherpaTts, *texts: str, how: Speaking = Speaking()) -> list[Speech]:  # noqa: B008
    async with aclosing(tts.speak(sentences(*texts), how)) as speech:
        return [piece async for piece in speech]


def samples_in(speech: list[Speech]) -> "np.typing.NDArray[np.int16]":
    return np.frombuffer(b"".join(piece.chunk.pcm for piece in speech), "<i2")


def loudness(speech: list[Speech]) -> float:
    return float(samples_in(speech).astype(np.float32).std())


@pytest.mark.parametrize(
    ("kind", "rate_hz"),
    [("vits", RATE_HZ), ("piper", RATE_HZ), ("matcha", HIFIGAN_HZ), ("kokoro", RATE_HZ)],
)
async def test_each_word_comes_with_its_sound_and_all_of_them_are_the_text(
    kind: str, rate_hz: int, made: Callable[[str], StoredModel]
) -> None:
    speech = await spoken(opened(made(kind)), "Hello there. ", "Kitchen light!")
    assert [piece.text for piece in speech] == ["Hello ", "there. ", "Kitchen ", "light!"]
    assert {piece.chunk.rate_hz for piece in speech} == {rate_hz}
    assert all(np.any(samples_in([piece])) for piece in speech if piece.text)


async def test_a_lexicon_says_how_words_sound(made: Callable[[str], StoredModel]) -> None:
    speech = await spoken(opened(made("vits")), "hello")
    assert len(samples_in(speech)) == 4 * SAMPLES_OF_TOKEN, "hh eh l ow"


async def test_espeak_says_it_for_the_voices_that_were_made_with_it(
    made: Callable[[str], StoredModel],
) -> None:
    """Numbers, names and all; the library alone would be silent."""
    speech = await spoken(opened(made("piper")), "It is 10:30, Xanthippe.")
    assert "".join(piece.text for piece in speech) == "It is 10:30, Xanthippe."
    assert len(samples_in(speech)) > 40 * SAMPLES_OF_TOKEN


@pytest.mark.parametrize("kind", MAKE)
async def test_what_has_no_sound_is_said_in_silence(
    kind: str, made: Callable[[str], StoredModel]
) -> None:
    speech = await spoken(opened(made(kind)), "… ")
    assert "".join(piece.text for piece in speech) == "… "
    assert not np.any(samples_in(speech))


TEXTS = {
    "a sentence without an end": "hello there " * 120,
    "a word without an end": "a" * 1500,
    "digits": "1234567890" * 30,
    "signs": "你好" * 200,
    "lines": "a\n\n\nb\t" * 100,
    "marks": "?!.,;:" * 60,
    "quotes": "\"«»“”()[]{}<>|\\/'" * 20,
    "what is no text": "\x00\x01🙂\u202e " * 40,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("kind", MAKE)
async def test_no_text_ends_the_process(
    kind: str, text: str, made: Callable[[str], StoredModel]
) -> None:
    """The library does so where one is longer than Kokoro's voices are."""
    speech = await spoken(opened(made(kind)), text)
    assert "".join(piece.text for piece in speech) == text


@pytest.mark.parametrize("kind", MAKE)
async def test_twice_as_fast_is_half_as_long(kind: str, made: Callable[[str], StoredModel]) -> None:
    usual = len(samples_in(await spoken(opened(made(kind)), "Hello there.")))
    asked = await spoken(opened(made(kind)), "Hello there.", how=Speaking(speed=2.0))
    configured = await spoken(opened(made(kind), rate=2.0), "Hello there.")
    assert (
        len(samples_in(asked)) == len(samples_in(configured)) == pytest.approx(usual / 2, rel=0.05)
    )


# ---- voices -------------------------------------------------------------------------------------


async def test_speakers_are_voices_by_name_or_number(
    made: Callable[[str], StoredModel],
) -> None:
    assert opened(made("vits")).voices("en") == {"vits": "en"}
    tts = opened(made("piper"))
    assert tts.voices("en") == {"piper#0": "en", "piper#1": "en"}
    quiet, loud = [await spoken(tts, "hi", how=Speaking(voice)) for voice in tts.voices("en")]
    assert loudness(loud) > 3 * loudness(quiet)


async def test_voices_of_the_language_come_first_and_are_taken_for_it(tmp_path: Path) -> None:
    tts = opened(stored(kokoro(tmp_path, ("af_bella", "ff_siwis"))))
    assert [*tts.voices("fr-CA").items()] == [("ff_siwis", "fr"), ("af_bella", "en-us")]
    english, french = [
        await spoken(tts, "hi", how=Speaking(language=language)) for language in ("en", "fr")
    ]
    assert loudness(french) > 3 * loudness(english)


async def test_the_configured_voice_is_taken_unless_another_is_asked_for(
    made: Callable[[str], StoredModel],
) -> None:
    tts = opened(made("piper"), voice="piper#1")
    configured = await spoken(tts, "hi")
    asked = await spoken(tts, "hi", how=Speaking("piper#0"))
    assert loudness(configured) > 3 * loudness(asked)


async def test_a_voice_that_there_is_not_is_told_those_there_are(
    made: Callable[[str], StoredModel],
) -> None:
    with pytest.raises(EngineError, match="there is no voice 'bob'; there are af_bella, bm_george"):
        await spoken(opened(made("kokoro")), "hi", how=Speaking("bob"))
    with pytest.raises(EngineUnavailable, match="there is no voice 'bob'"):
        opened(made("kokoro"), voice="bob")


async def test_models_of_other_languages_are_loaded_when_they_are_asked_for(
    tmp_path: Path, made: Callable[[str], StoredModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []
    load = tts_sherpa.load_voice
    monkeypatch.setattr(
        tts_sherpa, "load_voice", lambda plan: (loads.append(plan.kind), load(plan))[1]
    )
    german = stored(piper(tmp_path / "german"), "de")
    tts = opened(stored(made("vits").path, "en"), german)
    assert loads == ["vits"]
    assert tts.voices("de") == {"german#0": "de", "german#1": "de", "vits": "en"}
    await spoken(tts, "hallo", how=Speaking(language="de"))
    await spoken(tts, "hello", how=Speaking(language="en"))
    await spoken(tts, "hallo", how=Speaking(language="de"))
    assert loads == ["vits", "vits"], "a voice of Piper's is one of VITS"


async def test_of_three_models_the_one_that_was_not_used_longest_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [stored(vits(tmp_path / name), name) for name in ("en", "de", "fr")]
    tts = opened(*models)
    loads: list[str] = []
    load = tts_sherpa.load_voice
    monkeypatch.setattr(
        tts_sherpa,
        "load_voice",
        lambda plan: (loads.append(Path(plan.files["model"]).parent.name), load(plan))[1],
    )
    for language in ("de", "en", "fr", "en", "de"):
        await spoken(tts, "hello", how=Speaking(language=language))
    assert loads == ["de", "fr", "de"]


# ---- voices that are copied ---------------------------------------------------------------------


@pytest.fixture
def clones(tmp_path: Path) -> dict[str, CloneSettings]:
    """Two people: the voice of one is louder than the other's."""
    found = {}
    noise = np.random.default_rng(7).normal(0, 1, 2 * RATE_HZ)
    for name, level in (("grandma", 0.1), ("grandpa", 0.3)):
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, np.clip(level * noise, -1, 1), RATE_HZ)
        found[name] = CloneSettings(str(path), "Okay, hello.", CONSENT)
    return found


async def test_a_voice_is_copied_from_its_recording(
    tmp_path: Path, clones: dict[str, CloneSettings]
) -> None:
    tts = opened(stored(zipvoice(tmp_path / "zipvoice")), clones=clones)
    assert tts.voices("en") == {"grandma": "en", "grandpa": "en"}
    grandma = await spoken(tts, "Hello there.", how=Speaking("grandma"))
    grandpa = await spoken(tts, "Hello there.", how=Speaking("grandpa"))
    assert [piece.text for piece in grandma] == ["Hello ", "there."]
    assert grandma[0].chunk.rate_hz == VOCOS_HZ
    assert loudness(grandpa) != pytest.approx(loudness(grandma), rel=0.01)


def test_without_a_recording_a_model_that_copies_has_no_voice(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"copies voices: name one in tts\.clones"):
        opened(stored(zipvoice(tmp_path)))


def test_a_voice_is_not_copied_unless_somebody_has_agreed() -> None:
    def refused(clone: CloneSettings) -> str:
        with pytest.raises(ConfigError) as caught:
            refuse_without_consent(TtsSettings(clones={"grandma": clone}))
        return str(caught.value)

    assert refused(CloneSettings("a.wav", "hello")) == (
        "tts.clones.grandma.consent: is missing: who agreed that this voice is copied, and when"
        " (such as: Maria Schmidt, 2026-11-01)"
    )
    assert refused(CloneSettings("a.wav", "hello", "  ")).startswith("tts.clones.grandma.consent:")
    assert (
        refused(CloneSettings("", "hello", CONSENT)) == "tts.clones.grandma.reference: is missing"
    )
    assert refused(CloneSettings("a.wav", "", CONSENT)) == "tts.clones.grandma.text: is missing"
    refuse_without_consent(
        TtsSettings(clones={"grandma": CloneSettings("a.wav", "hello", CONSENT)})
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        (b"RIFF no wave", "cannot be read"),
        (0.2, r"is 0\.2 s long, wants 1"),
    ],
)
def test_a_recording_of_no_use_is_named(content: object, said: str, tmp_path: Path) -> None:
    path = tmp_path / "grandma.wav"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, float):
        soundfile.write(path, np.zeros(int(content * RATE_HZ)), RATE_HZ)
    clone = CloneSettings(str(path), "hello", CONSENT)
    with pytest.raises(EngineUnavailable, match=rf"tts\.clones\.grandma\.reference: .*{said}"):
        opened(stored(zipvoice(tmp_path / "model")), clones={"grandma": clone})


def test_a_copy_that_no_model_makes_is_a_line_in_the_log(
    made: Callable[[str], StoredModel],
    clones: dict[str, CloneSettings],
    caplog: pytest.LogCaptureFixture,
) -> None:
    opened(made("vits"), clones=clones)
    assert "tts.clones: no model of sherpa on this box copies voices" in caplog.text


# ---- stopping, and the long run -----------------------------------------------------------------


async def test_leaving_stops_the_model_at_its_next_piece(
    made: Callable[[str], StoredModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """VITS makes a text of many sentences one by one; each is asked whether it is still wanted."""
    asked: list[int] = []
    generate = tts_sherpa.generate
    ended = threading.Event()

    def watched(
        voice: object, text: str, manner: object, take: Callable[..., int], *more: object
    ) -> None:
        def taken(samples: object, share: float) -> int:
            asked.append(take(samples, share))
            return asked[-1]

        generate(voice, text, manner, taken, *more)  # type: ignore[arg-type]
        ended.set()

    monkeypatch.setattr(tts_sherpa, "generate", watched)
    tts = opened(made("vits"))
    speech = tts.speak(sentences("Hello. " * 100), Speaking())
    await anext(speech)
    await speech.aclose()
    await asyncio.to_thread(ended.wait, 10)
    assert asked[-1] == 0
    assert len(asked) < 50
    assert "".join(piece.text for piece in await spoken(tts, "hello there")) == "hello there"


async def test_who_is_cancelled_leaves_the_model_to_others(
    made: Callable[[str], StoredModel],
) -> None:
    tts = opened(made("piper"))
    waiting = asyncio.ensure_future(spoken(tts, *["Hello there. "] * 100))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert await spoken(tts, "hello")


@pytest.mark.parametrize("kind", MAKE)
async def test_five_hundred_sentences_leave_nothing_behind(
    kind: str, made: Callable[[str], StoredModel]
) -> None:
    tts = opened(made(kind))
    await spoken(tts, *["Hello there."] * 100)
    before = _memory_bytes()
    await spoken(tts, *["Hello there."] * 400)
    assert _memory_bytes() - before < 4_000_000


def _memory_bytes() -> int:
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1])
    return resident * os.sysconf("SC_PAGE_SIZE")


async def test_what_the_library_throws_fails_the_turn_only(
    made: Callable[[str], StoredModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    tts = opened(made("vits"))

    def broken(*given: object) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(tts_sherpa, "generate", broken)
        with pytest.raises(EngineError, match="sherpa: speaking failed: out of memory"):
            await spoken(tts, "hello")
    assert await spoken(tts, "hello")


# ---- opening ------------------------------------------------------------------------------------


def test_a_model_that_is_broken_is_passed_over_beside_one_that_is_not(
    tmp_path: Path, made: Callable[[str], StoredModel], caplog: pytest.LogCaptureFixture
) -> None:
    broken = stored(vits(tmp_path / "broken"))
    (broken.path / "model.onnx").write_bytes(b"")
    assert opened(made("vits"), broken).voices("en") == {"vits": "en"}
    assert "broken/model.onnx: is empty" in caplog.text
    with pytest.raises(EngineUnavailable, match=r"broken/model\.onnx: is empty"):
        opened(broken)


def test_a_vocoder_of_another_rate_is_refused_and_ends_no_process(tmp_path: Path) -> None:
    model = matcha(tmp_path) / "model-steps-3.onnx"
    model.write_bytes(model.read_bytes().replace(b"22050", b"16000"))
    with pytest.raises(EngineUnavailable, match=r"sherpa-onnx cannot run it: .*16kHz"):
        opened(stored(tmp_path))


def test_without_a_model_it_says_what_shows_those_there_are() -> None:
    with pytest.raises(EngineUnavailable, match="airos models list"):
        open_tts(WantedTts())


def test_it_says_what_it_runs_on(made: Callable[[str], StoredModel]) -> None:
    assert opened(made("vits"), device="cuda").runs_on == "cpu"

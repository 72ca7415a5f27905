"""Commands heard with a closed grammar: partials that know when a sentence is whole, and a pool of decoders."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from itertools import pairwise

import pytest

from airos_edge.engines import asr_pocketsphinx, sphinx
from airos_edge.engines.asr_pocketsphinx import MOST_DECODERS, PocketsphinxAsr, pocketsphinx
from airos_edge.engines.sphinx import Sphinx
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.home.demo import demo_house
from airos_edge.home.house import DeviceSettings, Settings
from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.grammar import Grammar, Network, grammar_of
from airos_edge.voice.ports import Hints, Place, Transcript
from airos_edge.voice.utterance import Ended, EndReason, Judgement, OpenedBy, Utterance
from tests.home.people import People, sentences
from tests.speech import noise, pieces, spoken

HOUSE = demo_house("en")

COMMAND = "turn on the kitchen light"


def words(*given: str) -> Grammar:
    """A grammar of sentences of one word each."""
    network = Network()
    for word in given:
        network.arc(network.start, word, network.final)
    return network.grammar()


@pytest.fixture(scope="module")
def asr() -> PocketsphinxAsr:
    return pocketsphinx(sentences(demo_house("en")).grammar, ("hey_jarvis", "alexa"))


def recorded(*sounds: AudioChunk, wake_word: str | None = None) -> Utterance:
    """A recording that has ended."""
    heard = Utterance("utt_1", "wake" if wake_word else "push", 0, wake_word)
    for sound in sounds:
        for piece in pieces(sound):
            heard.write(piece)
    end(heard)
    return heard


def end(heard: Utterance) -> None:
    heard.end(Ended(EndReason.COMMIT, heard.ms))


def command(text: str = COMMAND) -> Utterance:
    return recorded(spoken(text, before_ms=300, after_ms=300))


async def hear(asr: PocketsphinxAsr, heard: Utterance) -> list[Transcript]:
    return [transcript async for transcript in asr.transcribe(heard, Hints())]


@pytest.mark.parametrize(
    "text",
    [
        COMMAND,
        "turn off the bedroom lamp",
        "turn on the lights in the living room",
        "what time is it",
        "what's the date",
        "set the brightness of the kitchen light to fifty percent",
        "is the kitchen light on",
        "set a timer for five minutes",
        "cancel the timer",
        "never mind",
    ],
)
async def test_ten_commands_are_heard_as_they_were_meant(asr: PocketsphinxAsr, text: str) -> None:
    final = (await hear(asr, command(text)))[-1]
    assert final.final
    assert final.judgement in (Judgement.OPEN, Judgement.COMPLETE)
    async with People(demo_house("en")) as people:
        meant = people.commands.understand(text, None)
        heard = people.commands.understand(final.text, None)
    assert meant is not None
    assert heard is not None, final.text
    assert (heard.intent, heard.slots) == (meant.intent, meant.slots)


async def test_the_last_transcript_and_no_other_is_final(asr: PocketsphinxAsr) -> None:
    heard = await hear(asr, command())
    assert [transcript.final for transcript in heard] == [False] * (len(heard) - 1) + [True]
    texts = [transcript.text for transcript in heard[:-1]]
    assert all(before != after for before, after in pairwise(texts))


async def test_a_sentence_is_known_to_be_whole_before_its_recording_ends(
    asr: PocketsphinxAsr,
) -> None:
    heard = Utterance("utt_1", "speech", 0)
    judged: list[tuple[str, Judgement | None]] = []

    async def listen() -> None:
        async for transcript in asr.transcribe(heard, Hints()):
            if not transcript.final:
                judged.append((transcript.text, transcript.judgement))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listen())
        for piece in pieces(spoken(COMMAND, before_ms=300, after_ms=100)):
            heard.write(piece)
            await asyncio.sleep(piece.ms / 1000)
        so_far = list(judged)
        end(heard)
    assert ("turn on the", Judgement.PREFIX) in so_far
    assert so_far[-1] == (COMMAND, Judgement.COMPLETE)


@pytest.mark.parametrize(
    "sounds",
    [
        [],
        [AudioChunk(bytes(2 * 16000))],
        [noise(2000)],
        [noise(2000, lsb=300)],
        [AudioChunk(b"\x01\x00")],
    ],
    ids=["nothing", "silence", "a quiet room", "a loud room", "one sample"],
)
async def test_where_nobody_speaks_nothing_is_heard(
    asr: PocketsphinxAsr, sounds: list[AudioChunk]
) -> None:
    assert (await hear(asr, recorded(*sounds)))[-1].text == ""


async def test_half_a_sentence_is_no_command(asr: PocketsphinxAsr) -> None:
    half = AudioChunk(spoken(COMMAND, before_ms=300).pcm[: 2 * samples_of(950)])
    *partials, final = await hear(asr, recorded(half, noise(500)))
    assert partials[-1].text.startswith("turn on")
    assert (final.text, final.judgement) == ("", Judgement.PREFIX)


async def test_a_name_that_no_dictionary_has_is_heard_as_it_would_be_read() -> None:
    house = Settings(devices=(DeviceSettings("Zigbee Lampe"), DeviceSettings("TV-2")))
    asr = pocketsphinx(sentences(house).grammar)
    for text in ("turn on the zigbee lampe", "turn off tv two"):
        assert (await hear(asr, command(text)))[-1].text == text


async def test_a_word_that_nobody_can_say_costs_the_others_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asr = pocketsphinx(words("'", "stop"))
    assert (await hear(asr, command("stop")))[-1].text == "stop"
    assert 'Nobody knows how "\'" is said' in caplog.text


# ---- decoders -----------------------------------------------------------------------------------


async def test_cancelled_it_gives_its_decoder_back_fit_for_the_next(asr: PocketsphinxAsr) -> None:
    heard = Utterance("utt_1", "speech", 0)
    for piece in pieces(spoken(COMMAND))[:40]:
        heard.write(piece)
    task = asyncio.create_task(hear(asr, heard))
    await asyncio.sleep(1)
    assert asr._free == []
    task.cancel()
    await asyncio.wait([task])
    assert len(asr._free) == 1
    assert (await hear(asr, command("what time is it")))[-1].text == "what time is it"


async def test_closed_between_two_partials_it_does_so_too(asr: PocketsphinxAsr) -> None:
    (decoder,) = asr._free
    async with aclosing(asr.transcribe(command(), Hints())) as transcripts:
        async for _ in transcripts:
            break
    assert asr._free == [decoder]
    with pytest.raises(RuntimeError, match="stop utterance"):
        decoder.end()  # there is none: it was ended before the decoder was given back
    assert (await hear(asr, command("what time is it")))[-1].text == "what time is it"


async def test_those_who_speak_at_once_have_a_decoder_each_and_one_too_many_waits() -> None:
    asr = pocketsphinx(words("stop", "go"))
    speaking = [Utterance(f"utt_{number}", "speech", 0) for number in range(MOST_DECODERS + 1)]
    tasks = [asyncio.create_task(hear(asr, heard)) for heard in speaking]
    for place, heard in enumerate(speaking):
        for piece in pieces(spoken("stop" if place % 2 else "go", before_ms=300, after_ms=300)):
            heard.write(piece)
    await asyncio.sleep(1)
    end(speaking[-1])
    await asyncio.sleep(1)
    assert not any(task.done() for task in tasks), "the last one waits for a decoder"
    for heard in speaking[:-1]:
        end(heard)
    finals = [transcripts[-1].text for transcripts in await asyncio.gather(*tasks)]
    assert finals == ["stop" if place % 2 else "go" for place in range(MOST_DECODERS + 1)]
    assert len(asr._free) == MOST_DECODERS


class Broken:
    """A decoder that fails at one of its functions."""

    def __init__(self, at: str) -> None:
        self._at = at

    def __getattr__(self, name: str) -> Callable[..., None]:
        def function(*_: object) -> None:
            if name == self._at:
                raise RuntimeError(f"{name} failed")

        return function


@pytest.mark.parametrize("at", ["start_utt", "process_raw", "end_utt"])
async def test_a_decoder_that_fails_is_an_engine_error_and_is_not_used_again(at: str) -> None:
    asr = PocketsphinxAsr(words("stop"), Sphinx(Broken(at), False))  # type: ignore[arg-type]
    with pytest.raises(EngineError, match=f"pocketsphinx: decoding failed: {at} failed"):
        await hear(asr, command("stop"))
    assert (await hear(asr, command("stop")))[-1].text == "stop"


# ---- after a wake word --------------------------------------------------------------------------


@pytest.mark.parametrize("cut_ms", [0, 150, 300])
async def test_a_wake_word_in_front_whole_or_in_part_is_no_part_of_the_text(
    asr: PocketsphinxAsr, cut_ms: int
) -> None:
    said = spoken("hey jarvis turn on the desk lamp", after_ms=300)
    heard = AudioChunk(said.pcm[2 * samples_of(cut_ms) :])
    transcripts = await hear(asr, recorded(heard, wake_word="hey_jarvis"))
    assert transcripts[-1].text == "turn on the desk lamp"
    assert not [one for one in transcripts if "jarvis" in one.text or "wake" in one.text]


async def test_a_command_without_the_wake_word_that_opened_its_recording_is_heard(
    asr: PocketsphinxAsr,
) -> None:
    said = spoken(COMMAND, before_ms=300, after_ms=300)
    assert (await hear(asr, recorded(said, wake_word="alexa")))[-1].text == COMMAND


async def test_a_wake_word_alone_is_the_beginning_of_something(asr: PocketsphinxAsr) -> None:
    heard = recorded(spoken("hey jarvis", after_ms=500), wake_word="hey_jarvis")
    transcripts = await hear(asr, heard)
    assert transcripts[-1].text == ""
    assert transcripts[-1].judgement is Judgement.PREFIX
    assert Transcript("", judgement=Judgement.PREFIX) in transcripts[:-1]


async def test_a_wake_word_that_nobody_knows_how_to_say_is_not_listened_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    strange = pocketsphinx(words("stop"), ("'",))
    heard = recorded(spoken("stop", before_ms=300, after_ms=300), wake_word="'")
    assert (await hear(strange, heard))[-1].text == "stop"
    assert 'Nobody knows how "\'" is said' in caplog.text


# ---- what it cannot do --------------------------------------------------------------------------


async def test_of_other_languages_it_says_that_it_hears_english_only(asr: PocketsphinxAsr) -> None:
    with pytest.raises(EngineError, match=r"English only, not 'de'; choose another asr\.engine"):
        await anext(asr.transcribe(command(), Hints("de")))
    transcripts = [t async for t in asr.transcribe(command("what time is it"), Hints("en-GB"))]
    assert transcripts[-1].text == "what time is it"


def test_a_missing_model_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sphinx, "MODEL", "pocketsphinx/model/none")
    with pytest.raises(EngineUnavailable, match="English model is missing: pip install"):
        pocketsphinx(words("stop"))


def test_a_grammar_of_nothing_is_refused() -> None:
    with pytest.raises(EngineUnavailable, match="nothing to listen for"):
        pocketsphinx(Network().grammar())


def test_it_runs_on_this_box(asr: PocketsphinxAsr) -> None:
    assert (asr.name, asr.place) == ("pocketsphinx", Place.LOCAL)


# ---- what is not sure ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "turn on the television",
        "set the table for dinner",
        "what's the weather like tomorrow",
        "she said she would be here by now",
        "i will be back in an hour",
    ],
)
async def test_what_is_no_command_is_rejected(asr: PocketsphinxAsr, text: str) -> None:
    final = (await hear(asr, command(text)))[-1]
    assert (final.text, final.judgement) == ("", Judgement.REJECT)


async def test_a_final_says_how_certain_it_is_and_less_than_the_threshold_is_rejected() -> None:
    grammar = sentences(demo_house("en")).grammar
    sure = (await hear(pocketsphinx(grammar, threshold=0.0), command()))[-1]
    assert sure.text
    assert sure.certainty is not None
    unsure = (await hear(pocketsphinx(grammar, threshold=(1 + sure.certainty) / 2), command()))[-1]
    assert (unsure.text, unsure.judgement) == ("", Judgement.REJECT)
    assert unsure.certainty == sure.certainty


async def test_between_the_threshold_and_certain_it_is_not_sure() -> None:
    grammar = sentences(demo_house("en")).grammar
    certain = (await hear(pocketsphinx(grammar, threshold=0.0), command("what time is it")))[
        -1
    ].certainty
    assert certain is not None
    threshold = 2 * certain - 1 + 0.01
    final = (await hear(pocketsphinx(grammar, threshold=threshold), command("what time is it")))[-1]
    assert (final.text, final.sure) == ("what time is it", False)


async def test_of_two_numbers_that_sound_alike_it_names_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asr_pocketsphinx, "CLOSE", 1.0)  # any two are too close to be told apart
    grammar = grammar_of(
        f"set a timer for {number} minutes".split() for number in ("fifteen", "fifty", "three")
    )
    asr = pocketsphinx(grammar, threshold=0.0)
    asr._sure = 1.1
    final = (await hear(asr, command("set a timer for fifteen minutes")))[-1]
    assert {final.text, *final.alternatives} == {
        "set a timer for fifteen minutes",
        "set a timer for fifty minutes",
    }


async def test_sentences_that_differ_in_a_small_word_only_are_no_alternatives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asr_pocketsphinx, "CLOSE", 1.0)
    asr = pocketsphinx(
        grammar_of([("turn", "on", "the", "light"), ("turn", "on", "light")]), threshold=0
    )
    asr._sure = 1.1  # nothing is
    final = (await hear(asr, command("turn on the light")))[-1]
    assert (final.text, final.alternatives) == ("turn on the light", ())


# ---- answers to what the box has asked ----------------------------------------------------------

ANSWERS = Hints(expecting=("five", "nine", "five minutes", "nine minutes", "yes", "no"))


@pytest.mark.parametrize("text", ["nine minutes", "yes"])
async def test_an_answer_that_is_expected_is_heard(asr: PocketsphinxAsr, text: str) -> None:
    heard = [one async for one in asr.transcribe(command(text), ANSWERS)]
    assert heard[-1].text == text


async def test_a_command_instead_of_an_answer_is_heard_too(asr: PocketsphinxAsr) -> None:
    heard = [one async for one in asr.transcribe(command("turn off the desk lamp"), ANSWERS)]
    assert heard[-1].text == "turn off the desk lamp"


@pytest.mark.parametrize("opened_by", ["wake", "follow_up"])
async def test_the_wake_word_may_be_said_before_an_answer(
    asr: PocketsphinxAsr, opened_by: OpenedBy
) -> None:
    heard = Utterance("utt_1", opened_by, 0, "hey_jarvis" if opened_by == "wake" else None)
    for piece in pieces(spoken("hey jarvis yes", before_ms=300, after_ms=300)):
        heard.write(piece)
    end(heard)
    assert [one async for one in asr.transcribe(heard, ANSWERS)][-1].text == "yes"


async def test_a_command_instead_of_an_answer_is_looked_at_a_second_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asr_pocketsphinx, "CLOSE", 1.0)
    asr = pocketsphinx(grammar_of([("turn", "on", "the", "fan"), ("turn", "off", "the", "fan")]))
    asr._threshold, asr._sure = 0.0, 1.1
    heard = [one async for one in asr.transcribe(command("turn on the fan"), ANSWERS)]
    assert heard[-1].alternatives


async def test_an_answer_that_nobody_asked_for_is_no_command(asr: PocketsphinxAsr) -> None:
    assert (await hear(asr, command("nine minutes")))[-1].text == ""

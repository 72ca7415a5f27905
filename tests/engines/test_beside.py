"""A closed grammar and an open recogniser hear the same: which of them is believed, and how soon."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from airos_edge.engines.asr_pocketsphinx import pocketsphinx
from airos_edge.engines.beside import PATIENCE_S, beside, is_its_language, plain
from airos_edge.errors import EngineError
from airos_edge.voice.flow import abandoned
from airos_edge.voice.grammar import grammar_of
from airos_edge.voice.ports import Asr, Hints, Place, Transcript
from airos_edge.voice.utterance import Ended, EndReason, Judgement, Utterance
from tests.fakes import Counted, FakeAsr, Fault, Said, happen
from tests.speech import pieces, spoken

LAMP = "turn on the lamp"
ENGLISH = Hints("en")


def command(text: str, **more: Any) -> Transcript:
    return Transcript(text, final=True, **more)


@dataclass
class Then:
    """A transcript, so many milliseconds after the one before; or a fault."""

    ms: int
    what: Transcript | Fault


class Scripted(Counted):
    """Says its script whatever is recorded."""

    def __init__(self, *script: Then, name: str = "scripted", place: Place = Place.LOCAL) -> None:
        super().__init__()
        self.name, self.place = name, place
        self._script = script

    async def transcribe(self, heard: Utterance, hints: Hints) -> AsyncGenerator[Transcript, None]:
        with self._count():
            for then in self._script:
                await asyncio.sleep(then.ms / 1000)
                if isinstance(then.what, Fault):
                    await happen(then.what, self.name)
                else:
                    yield then.what


@dataclass
class Heard:
    """What came of it, and when."""

    told: list[Transcript] = field(default_factory=list)
    at_ms: list[int] = field(default_factory=list)
    utterance: Utterance = field(default_factory=lambda: Utterance("item", "speech", 0))
    worked_times: int = 0

    @property
    def final(self) -> Transcript:
        assert self.told[-1].final
        return self.told[-1]

    @property
    def texts(self) -> list[tuple[str, Judgement | None]]:
        return [(one.text, one.judgement) for one in self.told[:-1]]


async def hear(closed: Asr, open_one: Asr, hints: Hints = ENGLISH) -> Heard:
    heard, loop = Heard(), asyncio.get_running_loop()
    begin = loop.time()

    def worked() -> None:
        heard.worked_times += 1

    both = beside(closed, open_one, heard.utterance, hints, worked)
    async with aclosing(both) as transcripts:
        async for transcript in transcripts:
            heard.told.append(transcript)
            heard.at_ms.append(round((loop.time() - begin) * 1000))
    return heard


def finals(*scripts: Sequence[Then]) -> list[Scripted]:
    return [Scripted(*script, name=f"side {place}") for place, script in enumerate(scripts)]


async def test_a_command_that_is_sure_is_not_kept_waiting() -> None:
    closed, open_one = finals([Then(5, command(LAMP))], [Then(900, command("Turn on the lamp."))])
    heard = await hear(closed, open_one)
    assert heard.told == [command(LAMP)]
    assert heard.at_ms == [5]
    assert (open_one.opened, open_one.running) == (1, 0)


@pytest.mark.parametrize(
    "doubtful",
    [
        command(LAMP, sure=False),
        command(LAMP, alternatives=("turn off the lamp",)),
        command("", judgement=Judgement.REJECT),
    ],
)
async def test_what_the_grammar_is_not_sure_of_waits_for_the_other(doubtful: Transcript) -> None:
    words = command("Tell me a story.", certainty=0.8)
    closed, open_one = finals([Then(5, doubtful)], [Then(900, words)])
    heard = await hear(closed, open_one)
    assert (heard.final, heard.at_ms) == (words, [905 - 5])


async def test_a_command_that_both_have_heard_is_sure() -> None:
    closed, open_one = finals(
        [Then(5, command(LAMP, sure=False, certainty=0.6))],
        [Then(900, command("Turn on the lamp!"))],
    )
    assert (await hear(closed, open_one)).final == command(LAMP, certainty=0.6)


async def test_the_other_decides_between_what_sounds_alike() -> None:
    either = command("set it to fifteen", alternatives=("set it to fifty",))
    closed, open_one = finals([Then(5, either)], [Then(9, command("Set it to fifty."))])
    assert (await hear(closed, open_one)).final == command("set it to fifty")


async def test_where_the_other_heard_nothing_the_command_counts() -> None:
    doubtful = command(LAMP, sure=False)
    closed, open_one = finals([Then(5, doubtful)], [Then(9, command(""))])
    assert (await hear(closed, open_one)).final == doubtful


async def test_a_command_that_is_only_the_beginning_of_what_was_said_is_not_believed() -> None:
    words = command("What time is it in Paris now?")
    closed, open_one = finals(
        [Then(500, command("what time is it"))],
        [Then(400, Transcript("What time is it in Paris")), Then(300, words)],
    )
    assert (await hear(closed, open_one)).final == words


async def test_a_name_that_the_other_misheard_or_wrote_in_figures_is_no_other_sentence() -> None:
    sure = command("set the lantern to twenty five percent")
    closed, open_one = finals(
        [Then(500, sure)],
        [Then(400, Transcript("Set the lanten to 25%")), Then(900, command("what"))],
    )
    assert (await hear(closed, open_one)).final == sure


async def test_an_answer_to_what_was_asked_is_believed_though_it_is_not_sure() -> None:
    closed, open_one = finals(
        [Then(5, command("yes please", sure=False))], [Then(900, command("Yes, please."))]
    )
    heard = await hear(closed, open_one, Hints("en", expecting=("yes", "yes please")))
    assert (heard.final.text, heard.at_ms) == ("yes please", [5])


async def test_another_language_is_not_the_grammars() -> None:
    words = command("Mach das Licht an.", language="de")
    closed, open_one = finals(
        [Then(500, command(LAMP))],
        [Then(400, Transcript("Mach", language="de")), Then(400, words)],
    )
    assert (await hear(closed, open_one)).final == words
    assert [is_its_language(tag) for tag in ("en", "en-GB", "de")] == [True, True, False]


async def test_what_the_grammar_is_sure_of_never_goes_to_the_cloud() -> None:
    closed = Scripted(Then(100, Transcript("turn")), Then(400, command(LAMP)))
    cloud = Scripted(Then(5, command("Turn on the lamp.")), name="far", place=Place.CLOUD)
    heard = await hear(closed, cloud)
    assert cloud.opened == 0
    assert [(one.text, one.went) for one in heard.told] == [
        ("turn", Place.LOCAL),
        (LAMP, Place.LOCAL),
    ]


async def test_what_it_is_not_sure_of_does_and_says_so() -> None:
    closed = Scripted(Then(500, command("")))
    cloud = Scripted(Then(300, command("Tell me.")), name="far", place=Place.CLOUD)
    heard = await hear(closed, cloud)
    assert (heard.final, heard.at_ms) == (command("Tell me."), [800])
    assert heard.final.went is None  # as far as it is


# ---- while they hear ----------------------------------------------------------------------------


async def test_words_are_the_open_ones_and_judgements_the_grammars() -> None:
    prefix, complete = Judgement.PREFIX, Judgement.COMPLETE
    closed, open_one = finals(
        [
            Then(100, Transcript("turn", judgement=prefix)),
            Then(200, Transcript("turn on the", judgement=prefix)),  # 300
            Then(200, Transcript(LAMP, judgement=complete)),  # 500
            Then(500, command(LAMP)),
        ],
        [
            Then(200, Transcript("Turn")),
            Then(200, Transcript("Turn on")),
            Then(200, Transcript("Turn on the lamb")),
            Then(900, command("Turn on the lamp.")),
        ],
    )
    heard = await hear(closed, open_one)
    assert heard.texts == [
        ("turn", prefix),
        ("Turn", prefix),
        ("Turn on", prefix),
        (LAMP, complete),
    ]
    assert heard.at_ms == [100, 200, 400, 500, 1000]


async def test_a_judgement_without_new_words_goes_to_the_ear_alone() -> None:
    closed, open_one = finals(
        [
            Then(100, Transcript("turn", judgement=Judgement.PREFIX)),
            Then(200, Transcript("stop", judgement=Judgement.OPEN)),
            Then(500, command("stop")),
        ],
        [Then(200, Transcript("Stop")), Then(900, command("Stop."))],
    )
    heard = await hear(closed, open_one)
    assert heard.texts == [("turn", Judgement.PREFIX), ("Stop", Judgement.PREFIX)]
    assert heard.utterance.judgement is Judgement.OPEN


async def test_a_grammar_that_hears_commands_in_talk_is_told_so_and_its_draft_is_dropped() -> None:
    talk = Transcript("what time is it in Paris or London")
    closed, open_one = finals(
        [
            Then(100, Transcript("what time is it", judgement=Judgement.COMPLETE)),
            Then(300, Transcript("what time is it", judgement=Judgement.COMPLETE)),
            Then(500, command("")),
        ],
        [Then(200, talk), Then(900, replace(talk, final=True))],
    )
    heard = await hear(closed, open_one)
    assert heard.texts == [
        ("what time is it", Judgement.COMPLETE),
        (talk.text, Judgement.REJECT),
    ]
    assert heard.utterance.judgement is Judgement.REJECT


# ---- failing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.RAISE, Fault.CRASH, Fault.FOREIGN_CANCEL])
@pytest.mark.parametrize("text", [LAMP, ""])
async def test_where_the_open_one_fails_that_is_raised_whatever_the_grammar_may_have_heard(
    fault: Fault, text: str
) -> None:
    closed, open_one = finals([Then(50, command(text, sure=False))], [Then(100, fault)])
    with pytest.raises(EngineError, match="side 1: "):
        await hear(closed, open_one)
    assert closed.running == 0


async def test_what_the_grammar_was_sure_of_before_the_open_one_failed_counts() -> None:
    closed, open_one = finals([Then(50, command(LAMP))], [Then(100, Fault.RAISE)])
    assert (await hear(closed, open_one)).final == command(LAMP)


async def test_the_open_one_has_worked_only_when_it_has_told_something() -> None:
    closed, open_one = finals(
        [Then(1, Transcript("turn")), Then(50, command(LAMP))], [Then(100, command("Lamp."))]
    )
    assert (await hear(closed, open_one)).worked_times == 0
    closed, open_one = finals(
        [Then(1, command(""))], [Then(9, Transcript("I")), Then(9, command("It"))]
    )
    assert (await hear(closed, open_one)).worked_times == 2


async def test_where_the_grammar_fails_the_open_one_is_enough_and_the_log_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    closed, open_one = finals(
        [Then(1, Transcript("turn")), Then(1, Fault.RAISE)],
        [Then(100, Transcript("Tell")), Then(100, command("Tell me"))],
    )
    heard = await hear(closed, open_one)
    assert [one.text for one in heard.told] == ["turn", "Tell", "Tell me"]
    assert "side 0: broke; going by side 1 alone" in caplog.text


async def test_where_both_fail_it_is_an_error() -> None:
    closed, open_one = finals([Then(1, Fault.RAISE)], [Then(2, Fault.RAISE)])
    with pytest.raises(EngineError, match="side 1: broke"):
        await hear(closed, open_one)


async def test_an_open_one_that_stalls_is_waited_for_only_so_long() -> None:
    closed, open_one = finals([Then(5, command(LAMP, sure=False))], [Then(1, Fault.STALL)])
    begin = asyncio.get_running_loop().time()
    with pytest.raises(EngineError, match="side 1: no transcript 8 s after the grammar's"):
        await hear(closed, open_one)
    assert asyncio.get_running_loop().time() - begin == pytest.approx(0.005 + PATIENCE_S)
    assert open_one.running == 0


async def test_cancelling_ends_both() -> None:
    closed, open_one = finals([Then(1, Fault.STALL)], [Then(1, Fault.STALL)])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await hear(closed, open_one)
    assert (closed.opened, closed.running) == (1, 0)
    assert (open_one.opened, open_one.running) == (1, 0)
    assert not abandoned


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Turn on the kitchen light.", ("turn", "on", "the", "kitchen", "light")),
        ("What's the time?", ("what's", "the", "time")),
        ("Größer – bitte!", ("größer", "bitte")),
        ("", ()),
    ],
)
def test_plain_words_have_no_punctuation(text: str, words: tuple[str, ...]) -> None:
    assert plain(text) == words


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("said", "open_text", "text"),
    [
        (LAMP, "Turn on the lamp.", LAMP),
        ("tell me a story about a whale", "Tell me a story about a whale.", None),
    ],
)
async def test_what_is_spoken_is_a_command_or_the_words_of_the_other(
    said: str, open_text: str, text: str | None
) -> None:
    heard = Utterance("item", "speech", 0)
    sound = spoken(said, before_ms=300, after_ms=300)
    for chunk in pieces(sound):
        heard.write(chunk)
    heard.end(Ended(EndReason.SILENCE, round(sound.ms) - 300))
    open_one = FakeAsr(Said(open_text, takes_ms=1500))
    closed = pocketsphinx(grammar_of([LAMP.split(), ["stop"]]))
    both = beside(closed, open_one, heard, ENGLISH, lambda: None)
    async with aclosing(both) as transcripts:
        *_, final = [transcript async for transcript in transcripts]
    assert final.text == (text or open_text)
    assert open_one.running == 0

"""What was said, by id, and of what was spoken: how much was heard."""

import pytest

from airos_edge.voice.history import ROOT, DuplicateItem, History, Item, Part, UnknownItem
from airos_edge.voice.ports import Prompt

WORDS = ("Turned ", "on ", "the ", "light.")


def message(item_id: str, text: str = "") -> Item:
    return Item(item_id, role="user", text=text)


def history(*ids: str) -> History:
    made = History()
    for item_id in ids:
        made.add(message(item_id))
    return made


def spoken(*words: str, ms: float = 100) -> History:
    """One item "a", each word `ms` long."""
    made = History()
    made.add(Item("a", role="assistant", text="", spoken=True))
    for word in words:
        made.say("a", word, ms)
    return made


def ids(made: History) -> list[str]:
    return [item.id for item in made]


# ---- order --------------------------------------------------------------------------------------


def test_items_are_kept_in_the_order_they_came() -> None:
    made = history("a", "b")
    assert made.add(message("c")) == "b"
    assert ids(made) == ["a", "b", "c"]
    assert made.last_id() == "c"
    assert len(made) == 3


def test_the_first_item_follows_none() -> None:
    assert History().add(message("a")) is None
    assert History().add(message("a"), after=ROOT) is None


def test_an_item_may_be_put_after_another_or_at_the_front() -> None:
    made = history("a", "b")
    assert made.add(message("x"), after="a") == "a"
    assert made.add(message("y"), after=ROOT) is None
    assert ids(made) == ["y", "a", "x", "b"]


def test_after_an_unknown_item_nothing_is_put() -> None:
    made = history("a")
    with pytest.raises(UnknownItem):
        made.add(message("b"), after="nowhere")
    assert ids(made) == ["a"]


def test_an_id_is_used_once() -> None:
    with pytest.raises(DuplicateItem):
        history("a").add(message("a"))


def test_a_deleted_item_is_gone() -> None:
    made = history("a", "b")
    made.delete("a")
    assert "a" not in made
    assert ids(made) == ["b"]
    with pytest.raises(UnknownItem):
        made.get("a")
    with pytest.raises(UnknownItem):
        made.delete("a")


def test_a_changed_item_keeps_its_place() -> None:
    made = history("a", "b")
    made.change("a", text="hello")
    assert [item.text for item in made] == ["hello", ""]


def test_prompts_are_equal_whatever_the_status() -> None:
    assert Item("a", text="x", status="in_progress") == Item("a", text="x")


# ---- heard --------------------------------------------------------------------------------------


def test_what_was_spoken_is_the_text_until_it_is_cut() -> None:
    made = spoken(*WORDS)
    assert made.get("a").text == "Turned on the light."
    assert made.spoken_ms("a") == 400


@pytest.mark.parametrize(
    ("ms", "left"),
    [
        (0, ""),
        (80, ""),
        (100, "Turned"),
        (150, "Turned"),
        (250, "Turned on"),
        (400, "Turned on the light."),
        (9999, "Turned on the light."),
    ],
)
def test_it_is_cut_to_the_words_that_were_heard(ms: float, left: str) -> None:
    made = spoken(*WORDS)
    assert made.heard("a", ms) == left
    assert made.get("a").text == left


def test_within_a_sentence_whole_words_by_their_share_of_the_time() -> None:
    made = spoken("Turned on the light. ", "It is late.", ms=2100)
    assert made.heard("a", 1350) == "Turned on the"
    assert spoken("Turned on the light.", ms=2000).heard("a", 1290) == "Turned on"


def test_without_spaces_a_sign_is_a_word() -> None:
    assert spoken("现在是下午三点。", ms=800).heard("a", 350) == "现在是"


def test_a_cut_in_whole_milliseconds_at_the_end_keeps_the_last_word() -> None:
    assert spoken(*WORDS, ms=133.4).heard("a", 533) == "Turned on the light."


def test_a_cut_only_shortens() -> None:
    made = spoken(*WORDS)
    made.heard("a", 200)
    assert made.heard("a", 400) == "Turned on"
    assert made.heard("a", 100) == "Turned"


def test_what_is_said_after_the_cut_was_not_heard() -> None:
    made = spoken(*WORDS)
    made.heard("a", 200)
    made.say("a", "And more.", 100)
    assert made.get("a").text == "Turned on"


def test_speech_without_words_belongs_to_the_words_before_it() -> None:
    made = spoken("Turned on. ", "")
    assert made.spoken_ms("a") == 200
    assert made.heard("a", 120) == "Turned"


def test_a_written_text_cannot_be_heard_in_part() -> None:
    made = history()
    made.add(message("a", "hello"))
    assert made.heard("a", 0) == "hello"


def test_speech_of_a_deleted_item_goes_nowhere() -> None:
    made = spoken("Turned ")
    made.delete("a")
    made.say("a", "on", 100)
    assert len(made) == 0
    with pytest.raises(UnknownItem):
        made.heard("a", 100)


def test_an_id_that_is_used_again_begins_anew() -> None:
    history = History()
    for _ in range(2):
        history.add(Item("a", role="assistant", text="", spoken=True))
        history.say("a", "Hello", 500)
        assert history.spoken_ms("a") == 500
        history.delete("a")


# ---- who says what was heard --------------------------------------------------------------------


@pytest.mark.parametrize("known_ms", [100, 200, 300, 400])
def test_who_played_it_knows_better_than_who_reckoned(known_ms: int) -> None:
    made = spoken(*WORDS)
    made.heard("a", 200)
    assert made.heard("a", known_ms, is_known=True) == "".join(WORDS[: known_ms // 100]).rstrip()
    assert made.heard("a", 0) == made.get("a").text, "what is reckoned later changes nothing"


def test_what_is_said_after_a_cut_is_refused() -> None:
    made = spoken(*WORDS)
    assert made.say("a", " More.", 100)
    made.heard("a", 0)
    assert not made.say("a", " More.", 100)
    assert not made.say("unknown", " More.", 100)


def test_what_is_too_much_is_the_oldest_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airos_edge.voice.history.MOST_ITEMS", 2)
    made = history("a", "b")
    assert made.oldest_too_many() is None
    made.add(message("c"))
    assert made.oldest_too_many() == "a"
    made.change("a", status="in_progress")
    assert made.oldest_too_many() == "b"


def test_characters_are_counted_as_they_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airos_edge.voice.history.MOST_CHARACTERS", 10)
    made = history("a", "b")
    made.change("b", text="x" * 11)
    assert made.oldest_too_many() == "a"
    made.delete("b")
    assert made.oldest_too_many() is None
    made.add(Item("c", role="user", text="", parts=(Part("image", url="x" * 11),)))
    assert made.oldest_too_many() == "a"


# ---- what is to be answered ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "question"),
    [
        ([], "hello"),
        ([Item("b", role="assistant", text="", spoken=True)], "hello"),
        ([Item("b", role="system", text="Be kind.")], "hello"),
        ([Item("b", role="assistant", text="Hi.")], ""),
        ([Item("b", kind="function_call", name="f")], ""),
    ],
)
def test_an_answer_of_which_no_word_was_heard_is_none(after: list[Item], question: str) -> None:
    assert Prompt((message("a", "hello"), *after)).question == question

"""What is told of a transcript before its end."""

from airos_edge.voice.partials import Partials


def test_words_are_told_when_two_partials_agree_on_them() -> None:
    partials = Partials()
    told = [partials.next(text) for text in ("turn", "turn on", "turn on the", "turn on the lamp")]
    assert told == ["", "turn", " on", " the"]
    assert partials.rest("turn on the lamp") == " lamp"


def test_what_was_told_and_turns_out_to_be_wrong_is_not_added_to() -> None:
    partials = Partials()
    assert [partials.next(text) for text in ("turn off", "turn off", "turn on")] == [
        *("", "turn off", ""),
    ]
    assert partials.rest("turn on") == ""

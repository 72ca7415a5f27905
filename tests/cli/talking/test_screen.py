"""What a terminal is given of what a server says."""

import io

from airos_edge.cli.talking.screen import Screen


def test_a_server_does_not_talk_to_the_terminal() -> None:
    out = io.StringIO()
    screen = Screen(out)
    screen.words("Airos", "one\x1b]0;title\x07\ntwo\ttabs")
    screen.note("calls \x1b[2Jit\rwith")
    screen.ask("Let lock.open\n\u202eit?")
    shown = out.getvalue()
    assert "one�]0;title�\ntwo\ttabs" in shown
    assert "(calls �[2Jit�with)" in shown
    assert "Let lock.open��it?" in shown


def test_people_and_their_languages_are_shown_as_they_are() -> None:
    out = io.StringIO()
    Screen(out).words("Airos", "naïve 你好 👩\u200d🚀")
    assert out.getvalue().endswith("naïve 你好 👩\u200d🚀")

"""What a model is told of the box that it speaks for."""

from airos_edge.router.assistant import Settings, instructions


def test_the_usual_instructions_name_the_box_and_its_language() -> None:
    told = instructions(Settings(), "Maison", "fr")
    assert told.startswith("You are Maison, the voice assistant")
    assert "'fr'" in told


def test_the_owners_own_are_told_as_they_are() -> None:
    assert instructions(Settings("Be {brief}."), "Maison", "fr") == "Be {brief}."

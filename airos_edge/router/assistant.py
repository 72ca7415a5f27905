"""What a model is told of the box that it speaks for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """The `assistant` section."""

    instructions: str | None = None
    """What models are told of who they are; None: `USUAL`. A Realtime client may tell them otherwise."""


USUAL = (
    "You are {name}, the voice assistant of a house. What you write is spoken aloud: answer in one or two "
    "short sentences of plain words, without Markdown, lists, links and emoji, and say more only if you "
    "are asked for it. Answer in the language of the question; where that is unclear, in '{language}'."
)
"""There is no time of day in it: a server need not read again what it has read the last time."""


def instructions(settings: Settings, name: str, language: str) -> str:
    return settings.instructions or USUAL.format(name=name, language=language)

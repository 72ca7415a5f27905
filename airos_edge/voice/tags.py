"""Tags of languages: which of those that somebody knows is meant by another way to write it."""

from collections.abc import Collection, Iterator, Mapping

ALIASES: Mapping[str, tuple[str, ...]] = {
    # Where the tag without its ending would be another language, or another script, than is meant; or
    # where there are two names for a language. Home Assistant and espeak-ng each have one of them.
    **dict.fromkeys(("zh", "zh-hans", "zh-sg", "cmn"), ("zh-cn", "zh")),
    "zh-hant": ("zh-tw",),
    "zh-hk": ("yue", "zh-tw"),
    **dict.fromkeys(("yue", "zh-yue", "zh-mo"), ("zh-hk", "yue", "zh-tw")),
    **dict.fromkeys(("no", "nn"), ("nb",)),
    "iw": ("he",),
}


def nearest(language: str, known: Collection[str]) -> str | None:
    """The one of `known` that the language is written as there: "de-AT" is "de"; None: it is none of them."""
    by_tag = {tag.lower(): tag for tag in known}
    return next((by_tag[tag] for tag in _written(language) if tag in by_tag), None)


def is_same(language: str, other: str) -> bool:
    """Whether who speaks one of them is understood where the other one is: "de-AT" and "de"."""
    return nearest(language, [other]) is not None or nearest(other, [language]) is not None


def _written(language: str) -> Iterator[str]:
    """As it may be written, the best first."""
    tag = language.lower().replace("_", "-")
    while tag:
        yield tag
        yield from ALIASES.get(tag, ())
        tag = tag.rpartition("-")[0]

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
    """Whether they are two tags of one language: "de-AT" and "de", "no" and "nb"; "zh-HK" and "zh-CN" are not."""
    one, two = _plain(language), _plain(other)
    is_wider = one.startswith(f"{two}-") or two.startswith(f"{one}-")
    return is_wider or bool({one, *ALIASES.get(one, ())} & {two, *ALIASES.get(two, ())})


def _plain(language: str) -> str:
    return language.lower().replace("_", "-")


def _written(language: str) -> Iterator[str]:
    """As it may be written, the best first."""
    tag = _plain(language)
    while tag:
        yield tag
        yield from ALIASES.get(tag, ())
        tag = tag.rpartition("-")[0]

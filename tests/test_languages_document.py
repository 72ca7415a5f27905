"""docs/languages.md shows what is in the tree. `python -m tests.test_languages_document` writes its table anew."""

from pathlib import Path

from home_assistant_intents import get_languages

from airos_edge.engines.espeak import load
from airos_edge.home.sentences import share_of
from airos_edge.languages.phrases import languages, says_all
from airos_edge.voice.tags import nearest

DOCUMENT = Path(__file__).parent.parent / "docs" / "languages.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of the table -->\n"


def table() -> str:
    """Every language that has sentences; those of which all is there first."""
    rows = [_row(tag) for tag in get_languages()]
    rows.sort(key=lambda row: (not row[2], -row[1], row[0].lower()))
    lines = [
        "| language | commands | what the box says itself | voice without a model |",
        "|---|---|---|---|",
    ]
    for tag, commands, is_whole, voice in rows:
        says = "yes" if is_whole else "English"
        lines.append(f"| {tag} | {commands} of 11 | {says} | {voice or 'none'} |")
    return "\n".join(lines) + "\n"


def _row(tag: str) -> tuple[str, int, bool, str | None]:
    commands, _ = share_of(tag)
    return tag, commands, says_all(tag), nearest(tag, load().languages)


def test_the_table_is_what_is_in_the_tree() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0] == table()


def test_every_language_with_a_file_is_in_it() -> None:
    shown = [line.split(" | ")[0].removeprefix("| ") for line in table().splitlines()[2:]]
    assert [tag for tag in languages() if nearest(tag, shown) is None] == []


def _write() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    DOCUMENT.write_text(f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    _write()

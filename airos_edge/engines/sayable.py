"""Text as a model writes it, to sentences as somebody would say them: no Markdown, no emoji, no addresses.

Where a sentence ends is for `sentence-stream` to say; what a line is (an item of a list, a row of a table,
code) is seen here, by how it begins.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from functools import cache
from typing import Literal

import regex
from sentence_stream import SentenceBoundaryDetector

from airos_edge.languages.phrases import ENGLISH, phrases

MARKER = regex.compile(
    r"\s*(?:(?P<fence>```|~~~)|(?P<row>\|)|(?P<number>\d{1,3})[.)]\s+"
    r"|(?:(?:\#{1,6}|[-*+•>])\s+)+(?:\[[ xX]\]\s+)?)"
)
UNDECIDED = regex.compile(
    r"\s*(?:[`~]{0,2}|(?:(?:\#{1,6}|[-*+•>])\s+)*(?:\#{1,6}|[-*+•>]|\[[ xX]?\]?)?\s*|\d{1,3}[.)]?\s*)"
)
"""A line that may still turn out to begin with a marker."""
ABBREVIATION = (
    r"\b(?:(?:\p{L}\.\s?){1,}\p{L}\.|[\p{Latin}\p{Cyrillic}]\."
    r"|(?:Mrs|Prof|approx|resp|vs|cf|No|St|Nr|Dr|Mr"
    r"|bzw|bspw|ca|evtl|ggf|inkl|sog|usw|Hr|Str|Tel|Abs|Abb"
    r"|Sr|Sra|Srta|Dra|Ud|Uds|pág|núm|aprox|Mme|Mlle|env|av|bd"
    r"|dott|ing|avv|sig|bijv|enz|dhr|mevr|np|tzw|godz|ul|tj|ок|тыс|млн|руб|ул)\.)"
)
"""No end of a sentence, whatever follows: "e.g.", "p.m.", "z. B."."""
ORDINAL = {
    *(
        "de",
        "da",
        "nb",
        "no",
        "nn",
        "fi",
        "is",
        "et",
        "lv",
        "cs",
        "sk",
        "pl",
        "hu",
        "sl",
        "hr",
        "sr",
        "bs",
    ),
    *("tr", "lb", "eu"),
}
"""Languages that write "the third" as "3.": there a short number with a dot ends no sentence."""
WORD = regex.compile(r"[\p{L}\p{N}]")
UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}。！？”’」』）》】]$")
"""After this, the next sentence is written without a space."""

EMOJI = regex.compile(
    r"[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}\uFE0F\u200D\u20E3]"
)
OPENING = regex.compile(r"[¿¡«„“「『]")
"""A sentence may begin with one of these."""
BEFORE = "\u3164"
"""Another letter without a shape, for before them: sentence-stream wants a letter where a sentence begins."""
GONE = "\u205f"
"""A space, for where an emoji was."""
STAR = "\uffa0"
"""A letter without a shape, for "*" while sentences are cut: sentence-stream takes a product for emphasis,
and lets no sentence begin with any sign."""
PLAIN = [
    # What is written, what is said; in this order.
    (regex.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),  # a link, a picture
    (regex.compile(r"\]\([^)\s]*\)|\[(?=[^\]]*$)"), ""),  # half a link
    (regex.compile(r"<?(?:https?://|www\.)(?:www\.)?([^\s/?#:>)]+)[^\s>]*?>?(?=[.,;:!?)\"']*(?:\s|$))"), r"\1"),
    (regex.compile(r"</?\p{L}[\w-]*(?:\s+[\w:-]+=(?:\"[^\"]*\"|'[^']*'|[^\s<>]+))*\s*/?>"), ""),
    (regex.compile(r"(\*{1,3}|~~)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (regex.compile(r"(?<![\p{L}\p{N}])(_{1,3})(?=\S)(.+?)(?<=\S)\1(?![\p{L}\p{N}])"), r"\2"),
    (regex.compile(r"`+|\*\*|~~"), ""),
    (regex.compile(r"(?<=\d)\s*\*\s*(?=\d)"), " × "),
    (regex.compile(rf"\s*{GONE}\s*([.!?,…])(?=\s|$)"), r"\1"),
    (regex.compile(r"\s+([.,…])(?=\s|$)"), r"\1"),
    (regex.compile(r"\s+"), " "),
]  # fmt: skip


@cache
def _no_end(language: str) -> "regex.Pattern[str]":
    """What looks like the end of a sentence in the language, and is none."""
    is_ordinal = language.partition("-")[0].lower() in ORDINAL
    ordinal = r"|(?<![\p{N}.,:])\p{N}{1,2}\." if is_ordinal else ""
    return regex.compile(f"(?:{ABBREVIATION}{ordinal})$")


async def sayable(text: AsyncIterable[str], language: str = ENGLISH) -> AsyncGenerator[str, None]:
    """Each sentence as soon as it has ended, the rest at the end; see `voice.ports.Sayable`."""
    writing = Writing(language)
    async for piece in text:
        for sentence in writing.feed(piece):
            yield sentence
    for sentence in writing.end():
        yield sentence


def plain(sentence: str) -> str:
    sentence = sentence.replace(STAR, "*").replace(BEFORE, "")
    for written, said in PLAIN:
        sentence = written.sub(said, sentence)
    return sentence.strip()


class Writing:
    """A text that is being written, line by line."""

    def __init__(self, language: str = ENGLISH) -> None:
        self._says = phrases(language)
        self._no_end = _no_end(language)
        self._line: Literal["undecided", "text", "fence", "row"] = "undecided"
        self._start = ""
        """The line as far as it has come, while it is no text."""
        self._in_code = self._in_table = False
        self._detector = SentenceBoundaryDetector()
        self._abbreviated = ""
        """What ended in an abbreviation, and waits for what follows."""
        self._gap = ""
        """What belongs between the last sentence and the next."""
        self._is_silent = True

    def feed(self, piece: str) -> Iterator[str]:
        """The sentences that the next piece of the text ends."""
        *lines, last = EMOJI.sub(GONE, piece).split("\n")
        for line in lines:
            yield from self._more(line)
            yield from self._end_of_line()
        yield from self._more(last)

    def end(self) -> Iterator[str]:
        """The sentence that the end of the text ends."""
        yield from self._end_of_line()

    def _more(self, text: str) -> Iterator[str]:
        if self._line == "text":
            yield from self._cut(text)
            return
        self._start += text
        if self._in_code or self._line != "undecided" or UNDECIDED.fullmatch(self._start):
            return
        yield from self._begin_line()

    def _begin_line(self) -> Iterator[str]:
        """It is decided what the line is."""
        marker = MARKER.match(self._start)
        if marker and marker["fence"]:
            self._line = "fence"
        elif marker and marker["row"]:
            self._line = "row"
            if not self._in_table:
                self._in_table = True
                yield from self._say(self._says.table)
        else:
            self._line, self._in_table = "text", False
            number = f"{marker['number']}: " if marker and marker["number"] else ""
            yield from self._cut(number + self._start[marker.end() if marker else 0 :])

    def _end_of_line(self) -> Iterator[str]:
        start = self._start.strip()
        if self._in_code:
            self._in_code = not start.startswith(("```", "~~~"))
        elif self._line == "fence":
            self._in_code = start[:3] not in start[3:]
            yield from self._say(self._says.code)
        elif self._line == "undecided":
            yield from self._cut(self._start)
        rest = f"{self._abbreviated} {self._detector.finish()}"
        self._abbreviated = ""
        yield from self._say(rest)
        self._gap = "" if self._is_silent else "\n"
        self._line, self._start = "undecided", ""

    def _cut(self, text: str) -> Iterator[str]:
        text = OPENING.sub(rf"{BEFORE}\g<0>", text.replace("*", STAR))
        for sentence in self._detector.add_chunk(text):
            sentence = f"{self._abbreviated} {sentence}".strip()
            waits = self._no_end.search(sentence)
            self._abbreviated = sentence if waits else ""
            if not waits:
                yield from self._say(sentence)

    def _say(self, sentence: str) -> Iterator[str]:
        said = plain(sentence)
        if WORD.search(said):
            yield self._gap + said
            self._gap = "" if UNSPACED.search(said) else " "
            self._is_silent = False

"""Names that a Zipformer is to hear more readily, as its tokens allow.

The library takes them only with its beam search, and, of a model whose tokens are pieces of words, only
with the scores of those pieces (`bpe.vocab`). A name with a letter that the model does not know would
end the process or bias nothing, so it is left out.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from airos_edge.engines.sherpa import Plan

WORD_BEGIN = "\u2581"
IDEOGRAPH = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class Hotwords:
    plan: Plan
    """That of the model, so that it searches with hot words."""
    letters: frozenset[str]
    """Those that the model writes."""

    def said(self, names: Iterable[str]) -> str:
        """As the library takes them, for one stream."""
        cased = (self._cased(name) for name in names)
        return "/".join(dict.fromkeys(name for name in cased if name))

    def _cased(self, name: str) -> str:
        """In the model's case; "" if it has another letter."""
        words = " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)*", name))
        for cased in (words, words.upper(), words.lower()):
            if {*cased.replace(" ", "")} <= self.letters:
                return cased
        return ""


def hotwords_of(plan: Plan) -> Hotwords | None:
    """None for a model that takes none. Searching so takes longer, but there may be names at any time."""
    if plan.kind != "zipformer":
        return None
    tokens = _tokens(Path(plan.files["tokens"]))
    has_pieces = any(token.startswith(WORD_BEGIN) for token in tokens)
    has_signs = any(IDEOGRAPH.fullmatch(token) for token in tokens)
    if has_pieces and "bpe_vocab" not in plan.files:
        return None
    if not (has_pieces or has_signs):
        return None
    unit = "+".join(["cjkchar"] * has_signs + ["bpe"] * has_pieces)
    options = {"decoding_method": "modified_beam_search", "modeling_unit": unit}
    if has_pieces:
        options["bpe_vocab"] = plan.files["bpe_vocab"]
    letters = frozenset(
        token.strip(WORD_BEGIN) for token in tokens if len(token.strip(WORD_BEGIN)) == 1
    )
    return Hotwords(replace(plan, options=options), letters)


def _tokens(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.split()[0] for line in lines if len(line.split()) == 2]

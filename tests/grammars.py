"""What a grammar can say, in full: for small ones."""

from collections.abc import Iterator

from airos_edge.voice.grammar import Grammar


def all_sentences(grammar: Grammar, state: int = 0, words: tuple[str, ...] = ()) -> Iterator[str]:
    if state in grammar.finals:
        yield " ".join(words)
    for word, target in grammar.arcs[state].items():
        yield from all_sentences(grammar, target, (*words, word))

"""The sentences that can be understood, as a finite automaton over words."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from airos_edge.voice.utterance import Judgement


@dataclass(frozen=True, slots=True)
class Grammar:
    """A deterministic automaton without loops. State 0 is the start.

    `arcs[state]` leads from word to state; a sentence may end in each state of `finals`.
    """

    arcs: tuple[dict[str, int], ...]
    finals: frozenset[int]

    @property
    def words(self) -> frozenset[str]:
        return frozenset(word for arcs in self.arcs for word in arcs)

    def judge(self, words: Iterable[str]) -> Judgement | None:
        """What the words are; None if no sentence begins with them."""
        state = self._after(words)
        if state is None:
            return None
        if state not in self.finals:
            return Judgement.PREFIX
        return Judgement.OPEN if self.arcs[state] else Judgement.COMPLETE

    def neighbours(self, words: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Sentences that differ from this one in one word: another, one more, or one less."""
        said, state = tuple(words), 0
        for place, word in enumerate(said):
            before, after = said[:place], said[place + 1 :]
            for other, target in self.arcs[state].items():
                if other != word and self.accepts(after, target):
                    yield (*before, other, *after)
                if self.accepts(said[place:], target):
                    yield (*before, other, *said[place:])
            if self.accepts(after, state):
                yield (*before, *after)
            state = self.arcs[state][word]
        yield from ((*said, other) for other, end in self.arcs[state].items() if end in self.finals)

    def accepts(self, words: Iterable[str], state: int = 0) -> bool:
        """Whether they are a sentence, or from another state on the rest of one."""
        return self._after(words, state) in self.finals

    def _after(self, words: Iterable[str], state: int = 0) -> int | None:
        """Where the words lead from a state; None if nowhere."""
        for word in words:
            following = self.arcs[state].get(word)
            if following is None:
                return None
            state = following
        return state


def grammar_of(sentences: Iterable[Sequence[str]]) -> Grammar:
    """A grammar of just these sentences, which are not empty."""
    network = Network()
    for words in sentences:
        state = network.start
        for place, word in enumerate(words):
            target = network.final if place == len(words) - 1 else network.state()
            network.arc(state, word, target)
            state = target
    return network.grammar()


@dataclass(slots=True)
class Network:
    """Sentences being collected: any number of ways to go on from a state, also without a word (None)."""

    arcs: list[list[tuple[str | None, int]]] = field(default_factory=lambda: [[], []])
    start: int = 0
    final: int = 1

    def state(self) -> int:
        self.arcs.append([])
        return len(self.arcs) - 1

    def arc(self, source: int, word: str | None, target: int) -> None:
        self.arcs[source].append((word, target))

    def grammar(self) -> Grammar:
        """The smallest deterministic automaton of the same sentences. There must be no loop."""
        number: dict[frozenset[int], int] = {}
        known: dict[tuple[bool, tuple[tuple[str, int], ...]], int] = {}
        built: list[tuple[bool, dict[str, int]]] = []

        def build(states: frozenset[int]) -> int:
            """The number of the state that a set of network states becomes. Equal futures share one."""
            if states in number:
                return number[states]
            follow: dict[str, set[int]] = {}
            for state in states:
                for word, target in self.arcs[state]:
                    if word is not None:
                        follow.setdefault(word, set()).add(target)
            arcs = {word: build(self._closure(targets)) for word, targets in sorted(follow.items())}
            key = (self.final in states, tuple(arcs.items()))
            if key not in known:
                known[key] = len(built)
                built.append((key[0], arcs))
            number[states] = known[key]
            return known[key]

        build(self._closure([self.start]))
        return _start_first(built)

    def _closure(self, states: Iterable[int]) -> frozenset[int]:
        found = set(states)
        waiting = list(found)
        while waiting:
            for word, target in self.arcs[waiting.pop()]:
                if word is None and target not in found:
                    found.add(target)
                    waiting.append(target)
        return frozenset(found)


def _start_first(built: Sequence[tuple[bool, dict[str, int]]]) -> Grammar:
    """States are built from the last words back, so the start came last; it is to be 0."""
    last = len(built) - 1
    arcs = tuple({word: last - target for word, target in way.items()} for _, way in built[::-1])
    finals = frozenset(last - place for place, (is_final, _) in enumerate(built) if is_final)
    return Grammar(arcs, finals)

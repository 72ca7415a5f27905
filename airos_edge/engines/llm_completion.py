"""One completion of a model: text as it comes, calls when they are whole, and the limits of an answer."""

import json
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from airos_edge.engines.llm import LlmSettings
from airos_edge.engines.llm_endpoint import open_endpoint
from airos_edge.errors import EngineError
from airos_edge.secret import Secret
from airos_edge.voice.ports import Act, Call, Done, Place, Prompt, Text

LONGEST_ANSWER = 20_000
"""Characters of text and of arguments; some twenty minutes of speech."""

Completion = AsyncGenerator[Text | Call | Done, None]


@dataclass(slots=True)
class Begun:
    """A call as far as it is told."""

    call_id: str
    name: str
    arguments: str = ""


@dataclass(slots=True)
class Answer:
    """What the events of a completion have told until now. `why` None: it has not ended."""

    engine: str
    why: Literal["stop", "max_tokens"] | None = None
    written: int = 0
    """Characters of its text."""
    thought: str | None = None
    """While it thinks: the end of that."""
    withheld: str = ""
    """What of that is no text."""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    """Those of the input that were read before."""
    _calls: list[Begun] = field(default_factory=list)
    _newest: dict[int, Begun] = field(default_factory=dict)

    def begin_call(self, key: int, call_id: str, name: str) -> None:
        """With another id than before it is another call: there are servers that give all calls one key
        (ollama/ollama issue 15457, sgl-project/sglang issue 6310)."""
        before = self._newest.get(key)
        if before is None or (call_id and call_id != before.call_id):
            self._newest[key] = begun = Begun(call_id, name)
            self._calls.append(begun)

    def more_arguments(self, key: int, piece: str) -> None:
        self.begin_call(key, "", "")
        self._newest[key].arguments += piece

    @property
    def size(self) -> int:
        return self.written + sum(len(call.arguments) for call in self._calls)

    def calls(self) -> Iterator[Call]:
        """Raises EngineError for one without a name, or whose arguments are no JSON object."""
        for call in self._calls:
            try:
                arguments = json.loads(call.arguments or "{}")
            except ValueError:
                arguments = None
            if not call.name or not isinstance(arguments, dict):
                what = f"calls {call.name or 'a tool without a name'} with what is no JSON object"
                raise EngineError(self.engine, f"{what}: {call.arguments[:100]!r}")
            yield Call(call.name, arguments, call.call_id)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between the makers of models. `take` notes what an event tells, and gives its text; for
    what is no event of theirs it raises AttributeError, KeyError or TypeError."""

    path: str
    headers: Callable[[Secret | None], Mapping[str, str]]
    body: Callable[[Prompt, LlmSettings, str], Mapping[str, Any]]
    """Of a prompt, the model's settings, and the address."""
    take: Callable[[Any, Answer], str]


class Source(Protocol):
    """Whom a model is asked of: an `Endpoint`, or what has one."""

    @property
    def name(self) -> str: ...
    @property
    def url(self) -> str: ...
    def events(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[Any, None]: ...
    def failed(self, what: str) -> EngineError: ...
    async def aclose(self) -> None: ...


class Model:
    """A responder that makes one completion of a prompt; what it calls is for others to make."""

    def __init__(self, dialect: Dialect, endpoint: Source, place: Place, settings: LlmSettings):
        self.name = endpoint.name
        self.place = place
        self._dialect = dialect
        self._endpoint = endpoint
        self._settings = settings

    def reply(self, prompt: Prompt, act: Act) -> Completion:
        """As `completion`: what it calls is for others to make."""
        return self.completion(prompt)

    async def completion(self, prompt: Prompt) -> Completion:
        """Text as it comes, then the calls, then Done. Raises EngineError. Cancelling hangs up."""
        answer, endpoint = Answer(self.name), self._endpoint
        body = self._dialect.body(prompt, self._settings, endpoint.url)
        async with aclosing(endpoint.events(self._dialect.path, body)) as events:
            async for event in events:
                text = self._take(event, answer)
                if text:
                    answer.written += len(text)
                    yield Text(text)
                if answer.size > LONGEST_ANSWER:
                    answer.why = "max_tokens"
                    break
        if answer.why is None:
            raise endpoint.failed("broke off in the middle of its answer")
        if answer.why == "stop":  # of an answer that was cut, the last call is too
            for call in answer.calls():
                yield call
        yield Done(
            self.name,
            answer.why,
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            cached_tokens=answer.cached_tokens,
        )

    def _take(self, event: Any, answer: Answer) -> str:
        try:
            return self._dialect.take(event, answer)
        except (AttributeError, KeyError, TypeError) as error:
            what = f"sent an event of no known form: {type(error).__name__} {error}"
            raise self._endpoint.failed(what) from error

    async def aclose(self) -> None:
        await self._endpoint.aclose()


def open_model(dialect: Dialect, name: str, url: str, place: Place, settings: LlmSettings) -> Model:
    """Sends nothing. Raises EngineUnavailable."""
    key = settings.api_key
    endpoint = open_endpoint(name, url, settings.model, place, key, dialect.headers(key))
    return Model(dialect, endpoint, place, settings)

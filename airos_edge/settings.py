"""How a section of the configuration becomes a frozen dataclass: by the type hints of its fields.

Understood are str, int, float, bool, Secret, Literal, Enum (by its member's name in lower case),
X | None, tuple[X, ...], dict[str, X], dataclasses, and Annotated[X, Range(low, high)]. For a
dict[str, X], a list of the keys will do where X needs nothing more; tuple[X, ...] | Y is a list or Y.
A field whose metadata say `FILE_ONLY` is not read from the environment.
"""

import dataclasses
import io
import os
import re
import types
import typing
from collections.abc import Mapping
from difflib import get_close_matches
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar

import yaml

from airos_edge.errors import ConfigError
from airos_edge.limits import Range
from airos_edge.secret import Secret, secret

T = TypeVar("T")
FILE_ONLY = {"file_only": True}
ENVIRONMENT_PREFIX = "AIROS_"
NOT_OPTIONS = {"AIROS_CONFIG", "AIROS_KEY", "AIROS_RUNTIME"}
"""Names that look like options and are not."""
VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(kind: type[T], text: str, file: str, environ: Mapping[str, str] = os.environ) -> T:
    """The YAML text as `kind`; AIROS_SECTION__OPTION in `environ` comes before what the text says.

    Raises ConfigError with every problem there is, each with its place, what stands there, what is
    wanted and, for an unknown name, the nearest one that is known.
    """
    reader = _Reader(file, environ)
    value = reader.read(reader.override(_compose(text, file), kind), kind, "")
    if reader.problems:
        raise ConfigError("\n".join(reader.problems))
    return typing.cast("T", value)


def plain(value: Any) -> Any:
    """The opposite: dataclasses, enums and tuples as what YAML and JSON can write; secrets masked."""
    if isinstance(value, Secret):
        return value.source
    if dataclasses.is_dataclass(value):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


def _compose(text: str, file: str) -> yaml.Node | None:
    try:
        return yaml.compose(io.StringIO(text), Loader=Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        raise ConfigError(f"{place}: this is not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: this is not YAML: {error}") from error


class _Bad(Exception):
    """A problem has been noted; the value cannot be read."""


class _Reader:
    def __init__(self, file: str, environ: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        self._file = file
        self._environ = environ
        self._variables: dict[int, str] = {}
        """The environment variable that a node comes from, by the node's identity."""

    # ---- reading by type ----

    def read(self, node: yaml.Node | None, hint: Any, path: str) -> Any:
        """The value; None where a problem was noted."""
        try:
            return self._read(node, hint, path)
        except _Bad:
            return None

    def _read(self, node: yaml.Node | None, hint: Any, path: str) -> Any:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is Annotated:
            return self._within(self._read(node, arguments[0], path), arguments[1], node, path)
        if origin in (types.UnionType, typing.Union):
            return self._either(node, arguments, path)
        if hint is Secret:
            return self._secret(node, path)
        if dataclasses.is_dataclass(hint):
            return self._dataclass(node, typing.cast("type", hint), path)
        if origin is tuple:
            return self._tuple(node, arguments[0], path)
        if origin in (dict, Mapping):
            pairs = self._pairs(_mapping_of(node), path, "a list of names or a mapping (name: …)")
            return {
                key: self.read(value, arguments[1], _join(path, key))
                for key, (_, value) in pairs.items()
            }
        return self._one(node, hint, path)

    def _either(self, node: yaml.Node | None, hints: tuple[Any, ...], path: str) -> Any:
        if type(None) in hints and (node is None or self._scalar(node, path) is None):
            return None
        is_list = isinstance(node, yaml.SequenceNode)
        fitting = [hint for hint in hints if (typing.get_origin(hint) is tuple) is is_list]
        return self._read(node, (*fitting, *hints)[0], path)

    def _dataclass(self, node: yaml.Node | None, kind: type, path: str) -> Any:
        hints = typing.get_type_hints(kind, include_extras=True)
        values = {}
        before = len(self.problems)
        for key, (key_node, value) in self._pairs(node, path).items():
            if key in hints:
                values[key] = self.read(value, hints[key], _join(path, key))
            else:
                near = get_close_matches(key, hints, n=1) or sorted(hints)
                self._note(key_node, _join(path, key), f"is unknown; try {' or '.join(near)}")
        missing = [
            field.name
            for field in dataclasses.fields(kind)
            if field.default is field.default_factory is dataclasses.MISSING
            and field.name not in values
        ]
        for name in missing:
            self._note(node, _join(path, name), "is missing")
        if len(self.problems) > before:
            raise _Bad
        return kind(**values)

    def _pairs(
        self, node: yaml.Node | None, path: str, wanted: str = "a mapping (key: value)"
    ) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        if node is None or (isinstance(node, yaml.ScalarNode) and self._scalar(node, path) is None):
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise self._bad(node, path, f"got {_shown(node)}, wants {wanted}")
        pairs: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key_node, value in node.value:
            key = str(key_node.value)
            if key in pairs:
                self._note(key_node, _join(path, key), "is given twice")
            pairs[key] = (key_node, value)
        return pairs

    def _tuple(self, node: yaml.Node | None, hint: Any, path: str) -> tuple[Any, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._bad(node, path, f"got {_shown(node)}, wants a list")
        return tuple(
            self.read(item, hint, f"{path}[{place}]") for place, item in enumerate(node.value)
        )

    def _one(self, node: yaml.Node | None, hint: Any, path: str) -> Any:
        value = self._scalar(node, path)
        if typing.get_origin(hint) is Literal:
            choices = {choice: choice for choice in typing.get_args(hint)}
        elif issubclass(hint, Enum):
            choices = {member.name.lower(): member for member in hint}
        elif hint is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        elif type(value) is hint:
            return value
        else:
            raise self._bad(node, path, f"got {_shown(node)}, wants {_NAMES[hint]}")
        if value in choices:
            return choices[value]
        raise self._bad(node, path, f"got {_shown(node)}, wants {' or '.join(choices)}")

    def _secret(self, node: yaml.Node | None, path: str) -> Secret:
        value = self._scalar(node, path)
        if not isinstance(value, str):
            raise self._bad(node, path, "wants text, in quotes")
        try:
            return secret(value, self._environ)
        except ConfigError as error:
            raise self._bad(node, path, str(error)) from error

    def _within(self, value: Any, limits: Range, node: yaml.Node | None, path: str) -> Any:
        if value is None or limits.low <= value <= limits.high:
            return value
        raise self._bad(node, path, f"got {value}, wants {limits.low:g} to {limits.high:g}")

    def _scalar(self, node: yaml.Node | None, path: str) -> Any:
        """The value of a scalar, its variables expanded; of anything else, the node itself."""
        if not isinstance(node, yaml.ScalarNode):
            return node

        def expand(match: re.Match[str]) -> str:
            name, default = match.groups()
            value = self._environ.get(name, default)
            if value is None:
                raise self._bad(node, path, f"${{{name}}} is not set, and has no default")
            return value

        expanded = VARIABLE.sub(expand, node.value)
        is_quoted = bool(node.style)  # of plain text, libyaml's style is "", yaml's own None
        if node.tag == "tag:yaml.org,2002:str" and (is_quoted or expanded == node.value):
            return expanded
        return yaml.load(expanded if node.value != expanded else node.value, Loader)

    # ---- the environment ----

    def override(self, root: yaml.Node | None, kind: type) -> yaml.Node | None:
        """The tree with the environment's options in it."""
        fields = dataclasses.fields(typing.cast("Any", kind))
        sections = {field.name.upper() for field in fields}
        file_only = {field.name.upper() for field in fields if "file_only" in field.metadata}
        for name, value in sorted(self._environ.items()):
            if not name.startswith(ENVIRONMENT_PREFIX) or name in NOT_OPTIONS:
                continue
            first, *rest = name.removeprefix(ENVIRONMENT_PREFIX).split("__")
            if first not in sections:
                near = get_close_matches(first, sections, n=1)
                begins = [section for section in sections if first.startswith(f"{section}_")]
                near = [f"{one}__{first.removeprefix(one)[1:]}" for one in begins] or near
                hint = f"; try {ENVIRONMENT_PREFIX}{near[0]}" if near else ""
                self.problems.append(f"${name}: there is no such option{hint}")
                continue
            if first in file_only:
                self.problems.append(f"${name}: {first.lower()} is set in the file only")
                continue
            leaf = _compose(value, f"${name}")
            if leaf is not None:
                self._variables[id(leaf)] = name
                root = self._put(
                    root, [first.lower(), *(part.lower() for part in rest)], leaf, name
                )
        return root

    def _put(
        self, node: yaml.Node | None, keys: list[str], leaf: yaml.Node, name: str
    ) -> yaml.Node:
        if not keys:
            return leaf
        named = _mapping_of(node)
        pairs = list(named.value) if isinstance(named, yaml.MappingNode) else []
        places = [place for place, (key, _) in enumerate(pairs) if key.value == keys[0]]
        if not places:  # one that is given twice stays so, to be refused
            key_node = yaml.ScalarNode("tag:yaml.org,2002:str", keys[0])
            self._variables[id(key_node)] = name
            places = [len(pairs)]
            pairs.append((key_node, None))
        key_node, below = pairs[places[0]]
        pairs[places[0]] = (key_node, self._put(below, keys[1:], leaf, name))
        return yaml.MappingNode("tag:yaml.org,2002:map", pairs)

    # ---- problems ----

    def _note(self, node: yaml.Node | None, path: str, what: str) -> None:
        if id(node) in self._variables:
            place = f"${self._variables[id(node)]}"
        elif node is not None and node.start_mark is not None:
            place = f"{self._file}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
        else:
            place = self._file
        self.problems.append(f"{place}: {path or 'the file'}: {what}")

    def _bad(self, node: yaml.Node | None, path: str, what: str) -> _Bad:
        self._note(node, path, what)
        return _Bad()


_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _mapping_of(node: yaml.Node | None) -> yaml.Node | None:
    """Of a list of names, the mapping in which each of them stands for itself, with its defaults."""
    if not isinstance(node, yaml.SequenceNode):
        return node
    if not all(isinstance(item, yaml.ScalarNode) for item in node.value):
        return node
    pairs = [
        (name, yaml.ScalarNode("tag:yaml.org,2002:null", "", name.start_mark, name.end_mark))
        for name in node.value
    ]
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs, node.start_mark, node.end_mark)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _shown(node: yaml.Node | None) -> str:
    if isinstance(node, yaml.ScalarNode):
        return repr(node.value) if node.value else "nothing"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping" if node else "nothing"

"""What a client sent, checked: each check gives the value back, or raises ProtocolError with its path.

The codes and the form of the messages are OpenAI's.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from airos_edge.errors import ProtocolError

Check = Callable[[str, Any], Any]
"""Takes the path of the value ("session.audio.output.speed") and the value."""


def invalid(path: str, wanted: str) -> ProtocolError:
    message = f"Invalid value for '{path}': wants {wanted}."
    return ProtocolError(message, code="invalid_value", param=path)


def unknown(path: str) -> ProtocolError:
    return ProtocolError(f"Unknown parameter: '{path}'.", code="unknown_parameter", param=path)


def missing(path: str) -> ProtocolError:
    message = f"Missing required parameter: '{path}'."
    return ProtocolError(message, code="missing_required_parameter", param=path)


def unsupported(path: str, value: Any, choices: Sequence[Any]) -> ProtocolError:
    """The value is none of these."""
    *most, last = (repr(choice) for choice in choices)
    known = f"{', '.join(most)}, and {last}" if len(most) > 1 else " and ".join((*most, last))
    message = f"Invalid value: {value!r}. Supported values are: {known}."
    return ProtocolError(message, code="invalid_value", param=path)


def text(path: str, value: Any) -> str:
    return str(_of_type(str, "text", path, value))


def boolean(path: str, value: Any) -> bool:
    return bool(_of_type(bool, "true or false", path, value))


def mapping(path: str, value: Any) -> dict[str, Any]:
    return dict(_of_type(dict, "an object", path, value))


def sequence(path: str, value: Any) -> list[Any]:
    return list(_of_type(list, "a list", path, value))


def number(low: float, high: float = math.inf) -> Check:
    wanted = f"a number from {low:g} to {high:g}" if high < math.inf else f"at least {low:g}"

    def check(path: str, value: Any) -> float:
        if value is None:
            raise missing(path)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not low <= value <= high or value == math.inf:
            raise invalid(path, wanted)
        return value  # type: ignore[no-any-return]

    return check


def one_of(*choices: str) -> Check:
    def check(path: str, value: Any) -> str:
        if _of_type(str, "text", path, value) not in choices:
            raise unsupported(path, value, choices)
        return str(value)

    return check


def nullable(check: Check) -> Check:
    return lambda path, value: None if value is None else check(path, value)


def text_or_mapping(path: str, value: Any) -> Any:
    """Where a name will do, or more can be said in an object."""
    return value if isinstance(value, str) else mapping(path, value)


def _of_type(kind: type, wanted: str, path: str, value: Any) -> Any:
    if value is None:
        raise missing(path)
    if not isinstance(value, kind):
        raise invalid(path, wanted)
    return value

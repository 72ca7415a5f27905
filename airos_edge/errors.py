"""What can go wrong, as one tree. Foreign errors are translated into it once, at the edge.

* AirosError                     said to the user as it stands: what is wrong, where, what to do
  x ConfigError                  the configuration cannot be used; nothing was changed
  x RecordingError               a file is no audio we can read
  x ModelError                   a model cannot be had, or is not what it should be
  x DaemonError                  the daemon cannot be reached or refused
  x LimitReached                 a key, an address or the box has used what it may
  x BusyError                    the conversation has a reply that has not ended
  + EngineError                  an engine failed; the turn fails, the session lives
    x EngineUnavailable          the engine cannot be loaded here (package or model missing)
    x ReachError                 the engine lies further away than the owner's `reach` allows
    x PromptError                the engine works, but can make nothing of what it is asked
    x ToolError                  a tool server failed below its tools: in MCP, or in HTTP
  x ProtocolError                a peer broke the protocol it speaks

`*` the root, `+` a branch that is also raised itself, `x` a leaf.
"""

from typing import Literal


class AirosError(Exception):
    """The root; its text is a sentence for the person who uses the box."""


class ConfigError(AirosError):
    """The configuration cannot be used. The text names the file, the path in it and the mend."""


class RecordingError(AirosError):
    """A file or upload is not audio that can be read."""


class ModelError(AirosError):
    """A model cannot be brought, or what lies there is not that model."""


class DaemonError(AirosError):
    """The daemon cannot be reached, or it refused."""


class LimitReached(AirosError):
    """Somebody has used what they may. `of_the_box`: nobody's fault, the box is full."""

    def __init__(self, message: str, retry_after_s: float, of_the_box: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.of_the_box = of_the_box


class BusyError(AirosError):
    """A conversation has one reply at a time, and the one before has not ended."""


class EngineError(AirosError):
    """An engine failed while working. `engine` names it; `retry_after_s`: it is not to be asked for so long."""

    def __init__(self, engine: str, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{engine}: {message}")
        self.engine = engine
        self.retry_after_s = retry_after_s


class EngineUnavailable(EngineError):
    """The engine cannot be loaded here: its package or its model is missing."""


class ReachError(EngineError):
    """The engine lies beyond the owner's `reach`."""


class PromptError(EngineError):
    """The engine works, but can make nothing of what it is asked: too long, a picture, a voice or a
    language that it does not have. `code` says which, in OpenAI's words."""

    def __init__(self, engine: str, message: str, code: str) -> None:
        super().__init__(engine, message)
        self.code = code


class ToolError(EngineError):
    """A tool server failed, and not its tool. `code` is that of JSON-RPC, or the status of HTTP."""

    def __init__(
        self, engine: str, message: str, kind: Literal["protocol_error", "http_error"], code: int
    ) -> None:
        super().__init__(engine, message)
        self.kind: Literal["protocol_error", "http_error"] = kind
        self.code = code


class ProtocolError(AirosError):
    """A peer sent what its protocol forbids. `code` and `param` are for the peer, in its words."""

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param

"""What every test stands on: a loop whose time is virtual, and skips that may be forbidden.

Async tests run on `VirtualTimeLoop`. What needs real sockets, processes or the clock says
`@pytest.mark.real_time` (or `pytestmark = pytest.mark.real_time`) and gets an ordinary loop.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from airos_edge.virtual_time import VirtualTimeLoop
from tests.whisper_model import make_whisper

pytest.register_assert_rewrite("tests.room", "tests.laws")

LONGEST_S = 24 * 3600
"""A test in which more time than this goes by will never end."""


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("real_time") is not None:
        return {"real time": asyncio.SelectorEventLoop}
    return {"virtual time": partial(VirtualTimeLoop, LONGEST_S)}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real_time: the test needs an ordinary loop and real time")


@pytest.fixture(scope="session")
def tiny_whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a Whisper model that says a word for each half second of sound."""
    return make_whisper(tmp_path_factory.mktemp("models") / "tiny-whisper")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """With REQUIRE_ALL=1 a skipped test is a failed one."""
    report: pytest.TestReport = yield
    if os.environ.get("REQUIRE_ALL") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and nothing may be: {report.longrepr}"
    return report

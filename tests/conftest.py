"""Makes ``world`` importable from every test below, and gives a ready one to those who ask for it.

And what makes a whole run quick, and tell what it found: how tests are dealt out (``dealing``), what is worked out only
once in a process, and failures that are printed as they happen.
"""

from __future__ import annotations

import functools
import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx._transports.default as transports
import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

from dealing import Together, in_memory, longest_first, processes
from watchglass.charter import parse as parsing

# The same bytes are the same charter, and the system's certificates are the same all day. Together they were two fifths
# of what the tests of acts and pages took. Both are found here before anything imports them by name.
parsing.read = functools.lru_cache(maxsize=64)(parsing.read)
transports.create_ssl_context = functools.lru_cache(maxsize=8)(transports.create_ssl_context)  # type: ignore[attr-defined]

from world import World, make_house

hypothesis.settings.register_profile("house", deadline=None)  # how fast a machine is, is no property of ours
hypothesis.settings.load_profile("house")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A small real deployment on a virtual clock, with its charter in force and an account for each role."""
    with make_house(tmp_path) as made:
        yield made


def pytest_configure(config: pytest.Config) -> None:
    """Tests' files lie in memory, where that has room; the processes are told where by the one that deals.

    And Ctrl-C is heard, by what the tests start too.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what runs beside it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = in_memory()
    if folder is not None and not hasattr(config, "workerinput") and not config.option.basetemp:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    return processes()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Instead of groups by marks, which this pytest no longer tells xdist of."""
    config.option.loadscopereorder = False  # they come in order
    return Together(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        longest_first(items)


def pytest_collection_finish() -> None:
    """What is there now stays to the end; nobody looks through it for garbage again and again."""
    gc.collect()
    gc.freeze()


class _AtOnce:
    """Prints a failure when it happens, so that a run that is cut off has told of it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal is not None:
            terminal.write_line("")
            terminal.section(f"{report.when} of {report.nodeid} failed", sep="!")
            terminal.write_line(report.longreprtext)
            for title, text in report.sections:
                terminal.write_line(f"----- {title}\n{text[-4_000:]}")
            terminal.flush()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if getattr(session.config.option, "numprocesses", None):
        session.config.pluginmanager.register(_AtOnce(session.config), "at-once")

"""Let nbval start kernels as Jupyter does and shut them down gently, let tests hear Ctrl-C; run long files first.

Tests write into a workbook of their own. Without `--thorough`, what is run often stays quick: see `is_thorough`.
"""

import os
import signal
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from multiprocessing.context import BaseContext
from pathlib import Path

import hypothesis
import nbval.plugin
import pytest
from nbval.kernel import RunningKernel

from helpers import workbook

# how long an example takes depends on what else the machine does
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")
# what draws its examples by chance may draw ten times as many
hypothesis.settings.register_profile("thorough", max_examples=10 * hypothesis.settings().max_examples)

# the longest first, so that no process of pytest is left alone with one of them at the end
LONGEST = [
    "tests/exercises/",
    "notebooks/22_check.ipynb",
    "tests/lessons/test_start_here.py",
    "tests/scheduling/real/",
    "tests/lessons/test_synchronisation.py",
    "tests/campaign/test_detectors.py",
    "tests/recording/",
    "tests/control/",
    "tests/lessons/",
    "tests/supervision/",
    "tests/test_workbook.py",
    "notebooks/",
    "tests/experiments/",
    "tests/tools/",
    "tests/test_cards.py",
]

# tests of tools for maintainers, which few changes touch; what needs Node is a part of `make browser`
TOOLS = ("tests/campaign/", "tests/tools/", "tests/show/explorer/test_program_js.py")


# programs are forked there, which Windows cannot
collect_ignore = ["notebooks/22_check.ipynb"] if os.name == "nt" else []
# an extra; its own tests say so where it is missing, and fail in CI
if find_spec("distributed") is None:
    collect_ignore.append("notebooks/41_beyond_one_machine.ipynb")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to run what is left out otherwise."""
    parser.addoption(
        "--thorough",
        action="store_true",
        help="run too: what repeats a test under fork and forkserver, all solutions and mistakes in exercises, tools",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the files that take longest first; run of all tests only what is quick, and of those that are named all."""
    items.sort(key=rank)
    if not config.option.thorough and config.args == config.getini("testpaths"):
        config.hook.pytest_deselected(items=[item for item in items if is_thorough(item)])
        items[:] = [item for item in items if not is_thorough(item)]


def is_thorough(item: pytest.Item) -> bool:
    """Tell whether a test is left out of a quick run: it repeats another one in another way, or tests a tool."""
    if item.get_closest_marker("thorough") or item.nodeid.startswith(TOOLS):
        return True
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return any(start_method(value) in ("fork", "forkserver") for value in parameters)


def start_method(value: object) -> str:
    """Return the start method that a test's parameter names, if it does."""
    if isinstance(value, BaseContext):
        return value.get_start_method(allow_none=True) or ""
    return value if isinstance(value, str) else ""


def rank(item: pytest.Item) -> int:
    """Return the place of a test's file, or of its folder, among the longest."""
    return next((place for place, path in enumerate(LONGEST) if item.nodeid.startswith(path)), len(LONGEST))


class GentleKernel(RunningKernel):
    """A kernel that does not know that it is tested, and that is asked to end rather than killed.

    ipykernel leaves children's output alone while PYTEST_CURRENT_TEST is set; a killed kernel takes multiprocessing's
    resource tracker with it, and semaphores stay behind.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        current_test = os.environ.pop("PYTEST_CURRENT_TEST", None)
        try:
            super().__init__(*args, **kwargs)
        finally:
            if current_test is not None:
                os.environ["PYTEST_CURRENT_TEST"] = current_test

    def stop(self) -> None:
        """Ask the kernel to end; kill it only if it has not within a second."""
        self.kc.stop_channels()
        self.km.shutdown_wait_time = 1.0
        self.km.shutdown_kernel(now=False)
        del self.km


nbval.plugin.RunningKernel = GentleKernel


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, as in a cell: what a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def spare_workbook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let tests write into a workbook of their own, and not into that of whoever runs them."""
    monkeypatch.setattr(workbook, "WORKBOOK", tmp_path / "workbook")


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Give a folder whose path is short enough for sockets, however long that of temporary files is."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp" if os.name == "posix" else None) as name:
        yield Path(name)

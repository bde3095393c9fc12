"""Who shows what a cell returns, and in which thread what she says in a widget is answered."""

import enum
import os
import threading
from collections.abc import Callable

from IPython import get_ipython

from helpers import validate
from helpers.progress import Progress, read
from helpers.supervision import interrupts


class Client(enum.Enum):
    """Who shows what a cell returns."""

    LAB = enum.auto()  # JupyterLab or Jupyter Notebook: a page in which scripts live
    WIDGETS = enum.auto()  # any other that may know widgets
    RUNNER = enum.auto()  # nobody: the notebook is executed, to be read later


def client() -> Client:
    """Tell by the request that is being answered who asks."""
    kernel = getattr(get_ipython(), "kernel", None)
    # Voila runs a notebook as a runner does, and then shows its widgets
    if kernel is None or not has_cells():
        return Client.WIDGETS
    request = kernel.get_parent("shell")
    # a runner says that there is nobody who could be asked; only JupyterLab tells which cells were deleted
    if not request.get("content", {}).get("allow_stdin", True):
        return Client.RUNNER
    return Client.LAB if "deletedCells" in request.get("metadata", {}) else Client.WIDGETS


def has_cells() -> bool:
    """Tell whether the reader sees cells that she can run; a page of Voila has none."""
    return not os.environ.get("SERVER_SOFTWARE", "").startswith("voila")


def progress_shown() -> Progress:
    """Return what the learner has noted; nothing for a page that is made to be read by everybody."""
    return Progress((), 0) if client() is Client.RUNNER else read()


def in_main_thread(call: Callable[[], None]) -> None:
    """Call a function in the main thread, where alone processes are supervised: at once, or when the kernel is idle.

    JupyterLab may send what widgets say to a thread of its own (a subshell of the kernel).
    Raises TypeError for what cannot be called without arguments.
    """
    validate.function("call", call, "a function without arguments", 0)
    kernel = getattr(get_ipython(), "kernel", None)
    if threading.current_thread() is threading.main_thread() or kernel is None:
        call()
    else:
        kernel.io_loop.add_callback(_interruptible, call)


@interrupts.uninterrupted
def _interruptible(call: Callable[[], None]) -> None:
    """Let Ctrl-C end the call and nothing else: outside a cell it would end the kernel's loop, and the kernel."""
    interrupts.gives_way(call)

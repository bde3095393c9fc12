"""What widgets need to know of the notebook's kernel."""

import threading
from collections.abc import Callable

from IPython import get_ipython

from helpers import validate
from helpers.supervision import interrupts


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

"""Tell when others wait, so that an experiment goes on at that moment rather than after some time.

What passes on a clock proves nothing where many processes share few processors: who could go on may not have had its
turn. So processor time is counted, one's own. The system deals that out fairly, and a thread that got none meanwhile
had no use for it.
"""

import threading
import time
from collections.abc import Callable

__tracebackhide__ = True  # an instrument: never the place where somebody waits

STANDING_STILL = 0.15  # s of processor time that a look-out spends while the rest of its process uses none
NONE = 0.0001  # s; the clocks of a process and of its threads differ by less


def when_stuck(tell: Callable[[], object]) -> None:
    """Call `tell`, in another thread, once this process waits: all its threads, for something that is not there."""
    threading.Thread(target=_look_out, args=(tell,), name="look-out", daemon=True).start()


def let_others_go_on() -> None:
    """Return when whoever could go on has had a turn on a processor; the calling thread is busy meanwhile."""
    until = time.thread_time() + STANDING_STILL
    while time.thread_time() < until:
        pass


def _look_out(tell: Callable[[], object]) -> None:
    used, since = -1.0, 0.0
    while True:
        now = time.thread_time()
        used_by_others = time.process_time() - now
        if used_by_others - used > NONE:
            used, since = used_by_others, now
            time.sleep(0.001)
        elif now - since >= STANDING_STILL:
            tell()
            return

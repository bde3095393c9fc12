"""Recording: what each process of a block did and when, from plain multiprocessing code that does not know of it.

    with record() as run:
        ...
    lanes(run)

An observer writes in every process what the probes see; here it is put in place, and its files are read afterwards.
"""

import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from helpers import compat
from helpers.recording import probes, reading
from helpers.recording.observer import Observer
from helpers.recording.trace import Trace
from helpers.supervision import interrupts
from helpers.supervision.runtime_folder import runtime_folder
from helpers.supervision.supervisor import Supervisor, current_supervisor, supervised

__tracebackhide__ = True  # an instrument: never the place where somebody waits


def record(deadline: float = 5.0) -> AbstractContextManager[Trace]:
    """Watch the block, and fill the trace that it yields once the block is over, however it ends.

    The block is supervised, with this deadline in seconds, unless it is inside a supervised block already. While it
    lasts the methods of multiprocessing are wrapped, here and in every process that it starts. What was recorded is
    read in what is left of the deadline, and one second more; `Trace.left_out` says how many calls that left out.

    As in every supervised block, the first child that ends with an exit code other than 0 ends the block. A program
    that ends children so on purpose runs to its end inside `expect_failure`:

        with expect_failure() as failure, record() as run:
            ...

    What is seen: Process, Pipe, Listener and Client (on Windows over TCP only), the queues, all of `synchronize`, the
    locks of Value and Array, managers' objects, and what is built on them (Pool, executors, joblib). Not seen: reading
    and writing shared memory, and processes that are started in other ways.

    Raises RuntimeError inside another recording, UnsupportedPython where Python lacks a private name that is needed;
    TypeError, ValueError and ProcessesFailed as `supervised` does.
    """
    return _recorded(supervised(deadline))


@interrupts.uninterrupted_block
def _recorded(block: Supervisor) -> Generator[Trace]:
    compat.require("recording")
    if probes.is_attached():
        raise RuntimeError("a recording is going on already; end its block before the next begins")
    run = Trace()
    with ExitStack() as stack:
        # the supervisor ends first, so that what killed children left behind is complete when it is read
        if current_supervisor() is None:
            stack.enter_context(_observed(run, block.deadline))
            stack.enter_context(block)
        else:
            stack.enter_context(_observed(run, 0.0))
        yield run


@contextmanager
def _observed(run: Trace, deadline: float) -> Iterator[None]:
    supervisor = current_supervisor()
    # Windows removes no file that a process still has open, such as a killed one that has not gone yet
    with tempfile.TemporaryDirectory(prefix="recording-", dir=runtime_folder(), ignore_cleanup_errors=True) as name:
        observer = Observer(Path(name))
        begin = time.perf_counter_ns()
        probes.attach(observer)
        try:
            yield
            if supervisor:
                supervisor.wait_for_children()
        finally:
            probes.detach()
            end = time.perf_counter_ns()
            started = {pid: vars(child)["_popen"] for pid, child in observer.children.items()}
            exitcodes = {pid: popen and popen.returncode for pid, popen in started.items()}
            left = max(0.0, deadline - (end - begin) / 1e9)
            found = reading.read(observer.folder, exitcodes, begin, end, left + reading.READ_AT_LEAST)
            run.processes, run.events, run.messages = found.processes, found.events, found.messages
            run.left_out = found.left_out

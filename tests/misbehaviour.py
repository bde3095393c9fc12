"""Workers that do what workers should not, for the tests of supervision."""

import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import get_context

from helpers.supervision.child_agent import where_main_thread_is


def end_well(*_):
    """Do nothing, and end with exit code 0."""


def sleep_for_ever():
    """Never end."""
    while True:
        time.sleep(3600)


def ignore_sigterm():
    """Never end, and not on request either."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sleep_for_ever()


def stop_itself():
    """Stop as Ctrl-Z does: no thread of the process answers any more."""
    os.kill(os.getpid(), signal.SIGSTOP)


def die_by_sigkill():
    """Be killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def exit_at_once(code):
    """Leave without any tidying up."""
    os._exit(code)


def leave_by_sys_exit(code):
    """Leave by SystemExit."""
    sys.exit(code)


def raise_an_error():
    """Fail with a message."""
    raise ValueError("the worker's own words")


def block_in_recv(connections):
    """Wait for a message that nobody sends."""
    connections[1].recv()


def block_in_get(queue):
    """Wait for an item that nobody puts."""
    queue.get()


def block_in_acquire(lock):
    """Wait for a lock that nobody releases."""
    lock.acquire()


def block_in_join():
    """Wait for a child that never ends."""
    child = get_context("spawn").Process(target=sleep_for_ever)
    child.start()
    child.join()


def tell_when_in(call, connection, worker, *arguments):
    """Be another worker, and let a thread send a word once the main thread is at a line that ends with that call."""

    def watch():
        while not where_main_thread_is().endswith(call):
            time.sleep(0.001)
        connection.send(call)

    threading.Thread(target=watch, daemon=True).start()
    worker(*arguments)


def fork_and_tell(connection):
    """Fork a grandchild behind multiprocessing's back, tell its pid, and stay."""
    pid = os.fork()
    if pid == 0:
        sleep_for_ever()
    connection.send(pid)
    sleep_for_ever()


def fork_and_leave(connection):
    """Leave a grandchild behind that holds everything open which the child held."""
    pid = os.fork()
    if pid == 0:
        sleep_for_ever()
    connection.send(pid)
    os._exit(3)


def start_and_tell(connection, method):
    """Start a grandchild the usual way, tell its pid, and die before it."""
    child = get_context(method).Process(target=sleep_for_ever)
    child.start()
    connection.send(child.pid)
    os._exit(0)


def put_without_end(size):
    """Put an item that is too large for the pipe behind a queue: the exit waits for a reader."""
    get_context("spawn").Queue().put(b"x" * size)


def warn():
    """Write to standard error, and end well."""
    print("a word of warning", file=sys.stderr)


def session_to_be_killed(method):
    """Be a kernel: supervise a child, print its pid, and wait to be killed."""
    from helpers.supervision.supervisor import supervised

    if method == "loky":
        from joblib.externals.loky.backend import get_context as context_of
    else:
        context_of = get_context
    with supervised(deadline=60):
        child = context_of(method).Process(target=sleep_for_ever)
        child.start()
        print(child.pid, flush=True)
        child.join()


def interrupt_the_parent(times):
    """Do to the parent's process group what Jupyter does when a learner interrupts a cell, once or impatiently."""
    for _ in range(times):
        os.killpg(os.getpgid(os.getppid()), signal.SIGINT)
        time.sleep(0.02)
    sleep_for_ever()


def interrupt_the_parent_alone():
    """Send Ctrl-C to the parent, and to nobody else of its group."""
    os.kill(os.getppid(), signal.SIGINT)
    sleep_for_ever()


def interrupted_session(method, times):
    """Be a notebook cell that a learner interrupts; say in the exit code how it ended."""
    from helpers.supervision.supervisor import supervised

    signal.signal(signal.SIGINT, signal.default_int_handler)  # programs in the background start without
    try:
        with supervised(deadline=15):
            child = get_context(method).Process(target=interrupt_the_parent, args=(times,))
            child.start()
            child.join()
    except KeyboardInterrupt:
        print("interrupted, nothing else", flush=True)


def session_interrupted_at_a_start(method):
    """Be a notebook cell that a learner interrupts just as its children start."""
    from helpers.supervision.supervisor import supervised

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with supervised(deadline=15):
            for _ in range(3):
                get_context(method).Process(target=sleep_for_ever).start()
                os.killpg(0, signal.SIGINT)
    except KeyboardInterrupt:
        print("interrupted, nothing else", flush=True)


def tell_of_an_interrupt(connection):
    """Say when ready, and when Ctrl-C came."""
    try:
        connection.send("ready")
        while True:
            # Python does not wake from a sleep that begins just after the signal came, so none is long
            time.sleep(0.01)
    except KeyboardInterrupt:
        connection.send("interrupted")


class NeverArrives:
    """An argument that a child cannot read to its end: unpickling it takes for ever."""

    def __reduce__(self):
        return time.sleep, (3600,)


def run_detached(code):
    """Run Python code in a session of its own, as a kernel is; return what it printed."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, start_new_session=True
    )

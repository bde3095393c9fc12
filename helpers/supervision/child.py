"""What supervision knows of one child, and what it can do to it; `helpers.supervision.child_agent` is the other end."""

import os
import signal
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from helpers.supervision import child_agent, interrupts, start_hooks

__tracebackhide__ = True  # an instrument: never the place where somebody waits

# what is started to serve a pool, a manager or an executor, and ended by it
_SERVERS = {
    ("multiprocessing.pool", "worker"),
    ("multiprocessing.managers", "_run_server"),
    ("concurrent.futures.process", "_process_worker"),
}
# exit codes of a server that was ended on purpose; Windows knows only one, and it is SIGTERM's
_ENDED_BY_US = (-signal.SIGTERM, -getattr(signal, "SIGKILL", signal.SIGTERM))


@dataclass(frozen=True)
class ProcessReport:
    """How one process of a supervised block ended."""

    name: str
    pid: int
    exitcode: int | None  # negative: the number of the signal that ended it; None for the parent
    stopped: bool  # it was still running, and supervision ended or interrupted it
    blocked_at: str | None  # function, file, line and its text; None for a process that ended by itself
    errors: str = ""  # all that it wrote to standard error

    @property
    def failed(self) -> bool:
        """True when it ended by itself with an exit code other than 0."""
        return not self.stopped and self.exitcode not in (0, None)

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid}) {self._fate()}"

    def _fate(self) -> str:
        if self.stopped:
            return f"was still in {self.blocked_at}" if self.blocked_at else "was still running and gave no answer"
        if self.exitcode is not None and self.exitcode < 0:
            return f"was killed by {signal_name(-self.exitcode)} (exit code {self.exitcode})"
        last_words = self.errors.splitlines()[-1:] if self.failed else []
        return ": ".join([f"ended with exit code {self.exitcode}", *last_words])


def signal_name(number: int) -> str:
    """Return the name of a signal ("SIGKILL"), or "signal 77" where it has none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Child:
    """One child of a supervised block, from before its start until it is reaped."""

    def __init__(self, process: BaseProcess, error_file: Path) -> None:
        self.process = process
        target = vars(process)["_target"]
        self.is_server = (getattr(target, "__module__", ""), getattr(target, "__name__", "")) in _SERVERS
        self.is_awaited = not (process.daemon or self.is_server)
        self.stopped = False
        self._was_asked_to_end = False
        self._line, self._their_line = socket.socketpair()
        self._error_file = error_file
        self._blocked_at: str | None = None
        self._lock = threading.RLock()

    @property
    def folder(self) -> Path:
        """Where its file for errors is."""
        return self._error_file.parent

    def setup(self) -> start_hooks.Call:
        """Return the call that puts the child under supervision from inside."""
        return child_agent.come_under_supervision, (self._their_line, self._error_file)

    def note_start(self) -> None:
        """Take note that the process has started."""
        self._their_line.close()
        self._popen = vars(self.process)["_popen"]
        self.pid: int = self._popen.pid
        self.sentinel = self.process.sentinel
        # two threads that reap one child (the watcher, a join in the block) would take each other's exit code
        self._plain_poll = self._popen.poll
        self._popen.poll = self._poll_alone
        self._plain_terminate = self._popen.terminate
        self._popen.terminate = self._terminate

    def note_failed_start(self) -> None:
        """Let go of what was prepared for a process that did not start."""
        self._their_line.close()
        self._line.close()

    def poll(self) -> int | None:
        """Return the exit code, None while the child runs; never blocks for longer than 50 ms."""
        if not self._lock.acquire(timeout=0.05):
            return self._popen.returncode
        try:
            return self._plain_poll()
        finally:
            self._lock.release()

    def _poll_alone(self, flag: int = os.WNOHANG if hasattr(os, "WNOHANG") else 0) -> int | None:
        if os.name == "nt":
            return self._plain_poll()
        # an interrupt in `waitpid` would lose the exit code, so the waiting is done before it;
        # now and then without being told: a grandchild may hold a dead child's sentinel open
        while self._reaped() is None and not flag & os.WNOHANG:
            wait([self.sentinel], timeout=0.2)
        return self._popen.returncode

    @interrupts.in_one_piece
    def _reaped(self) -> int | None:
        with self._lock:
            return self._plain_poll()

    def _terminate(self) -> None:
        self._was_asked_to_end = True
        self._plain_terminate()

    def has_failed(self) -> bool:
        """True when the child ended by itself with an exit code other than 0."""
        exitcode = self.poll()
        if self.stopped or exitcode in (0, None):
            return False
        # multiprocessing asks a manager to end, and kills one that is slow to do so
        return not (self.is_server and self._was_asked_to_end and exitcode in _ENDED_BY_US)

    def ask_where(self) -> None:
        """Ask a running child where it is; `hear_where` collects the answer."""
        with suppress(OSError):
            self._line.send(b"?")

    def hear_where(self, within: float) -> None:
        """Wait at most `within` seconds for the child's answer; a child that is stuck in C code gives none."""
        self._line.settimeout(within)
        answer = b""
        with suppress(OSError):
            while not answer.endswith(b"\0") and (more := self._line.recv(4096)):
                answer += more
        self._blocked_at = answer.rstrip(b"\0").decode(errors="replace") or None

    def kill(self) -> None:
        """End the child and whatever it forked."""
        if self.poll() is None:
            self.stopped = True
            self._popen.kill()
        if hasattr(os, "killpg"):
            # its group may outlive it
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def reap(self, within: float) -> None:
        """Wait at most `within` seconds for a killed child's exit code."""
        until = time.monotonic() + within
        while self.poll() is None and time.monotonic() < until:
            wait([self.sentinel], timeout=0.02)

    def report(self) -> ProcessReport:
        """Return how the child ended."""
        errors = ""
        with suppress(FileNotFoundError):
            errors = self._error_file.read_text(encoding="utf-8", errors="replace").rstrip()
        return ProcessReport(self.process.name, self.pid, self.poll(), self.stopped, self._blocked_at, errors)

    def close(self) -> None:
        """Let go of the child's objects."""
        # not set again: with a method of its own as attribute it is in a circle, and its files stay open until that is
        # collected
        del self._popen.poll, self._popen.terminate
        self._line.close()

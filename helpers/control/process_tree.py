"""The processes of a check: the template process, all that is forked of it run by run, and what they leave."""

import os
import pickle
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_start_method, resource_tracker, spawn, util
from pathlib import Path
from typing import Any, Self

from helpers.control import protocol
from helpers.control.participant import HELLO, is_own
from helpers.control.probes import everything
from helpers.control.run import CannotCheck

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_STARTS_WITHIN = 30.0  # seconds
_ENDS_WITHIN = 2.0  # seconds
_MOST_OUTPUT = 4000  # characters


class ProcessTree:
    """The processes of one check."""

    def __init__(self, program: Callable[[], Any], grain: str) -> None:
        self.name = getattr(_inner(program), "__qualname__", repr(program))
        if not hasattr(os, "fork"):
            raise CannotCheck("control forks each run of a program, which this system cannot; use Linux, macOS or WSL")
        self.program = program
        self.grain = grain
        # where no other process can import it (from the cell of a notebook, say) each run is a fork of this process
        self.is_own_fork = not _is_importable(program)
        packed = b"" if self.is_own_fork else pickle.dumps(program)
        self.job = pickle.dumps((_preparation(program), packed, _start_method(), grain))

    def __enter__(self) -> Self:
        self.folder = tempfile.mkdtemp(prefix="control-")
        self.listener, self.address = protocol.listen(self.folder)
        ours, theirs = socket.socketpair()
        self._output = (Path(self.folder) / "output").open("w+b")
        code = (f"import sys; sys.path[:] = {sys.path!r}; from helpers.control.template_process import main; "
                f"main({theirs.fileno()}, {self.folder!r}, {self.address!r}, {self.job.hex()!r})")  # fmt: skip
        self._template = subprocess.Popen(
            [sys.executable, *_interpreter_flags(), "-c", code],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output,
            start_new_session=True,
        )  # fmt: skip
        theirs.close()
        self.link = protocol.Link(ours)
        self._hellos: dict[str, tuple[protocol.Link, int]] = {}
        self._dead: dict[int, int] = {}
        self._handles: dict[int, int] = {}  # pid -> what becomes ready when the process has ended
        self._group = 0
        self._group_is_over = True
        try:
            self._receive(_STARTS_WITHIN)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._forget_run()
        self.link.close()
        self.listener.close()
        try:
            self._template.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._template.kill()
            self._template.wait()
        self._output.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- a run -------------------------------------------------------------------------------------------------------

    def begin_run(self) -> None:
        """Have the template process fork the first process of a run."""
        self._output.truncate(0)
        self._output.seek(0)
        self._dead.clear()
        self._hellos.clear()
        self._group, self._group_is_over = 0, False
        if self.is_own_fork:
            self._group = self._fork()
            return
        self.link.send(("run", self.job))
        until = time.monotonic() + _STARTS_WITHIN
        while not self._group:
            self._receive(until - time.monotonic())

    def _fork(self) -> int:
        from helpers.control import template_process

        everything.load()
        with warnings.catch_warnings():
            # it is forked beside threads of this process, none of which it needs
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            template_process.be_forked_program(self)
        with suppress(OSError):
            os.setpgid(pid, pid)
        return pid

    def as_child(self) -> None:
        """Let go, in a fork of this process, of what belongs to the controller."""
        os.setpgid(0, 0)
        self.link.close()
        self.listener.close()
        for fd, file in ((0, os.devnull), (1, None), (2, None)):
            os.dup2(self._output.fileno() if file is None else os.open(file, os.O_RDONLY), fd)

    def _reap_fork(self, within: float) -> None:
        """Wait for the end of a run that is a fork of this process."""
        until = time.monotonic() + within
        while not (has_ended := os.waitpid(self._group, os.WNOHANG)[0]) and time.monotonic() < until:
            time.sleep(0.001)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._group, signal.SIGKILL)
        if not has_ended:
            os.waitpid(self._group, 0)

    def end_run(self, leftovers: set[tuple[str, str]]) -> str:
        """See that no process of the run is left; return what they wrote."""
        until = time.monotonic() + _ENDS_WITHIN / 2
        asked = False
        if self.is_own_fork and self._group:
            self._reap_fork(_ENDS_WITHIN)
            self._group_is_over = True
        while self._group and not self._group_is_over:
            left = until - time.monotonic()
            if left <= 0:
                if asked:
                    break
                self.link.send(("kill", self._group))
                asked, until = True, time.monotonic() + _ENDS_WITHIN
                continue
            with suppress(TimeoutError):
                self._receive(left)
        self._forget_run()
        for kind, name in leftovers:
            _remove(kind, name)
        self._output.seek(0)
        return self._output.read().decode(errors="replace")[-_MOST_OUTPUT:]

    def _forget_run(self) -> None:
        for link, _ in self._hellos.values():
            link.close()
        self._hellos.clear()
        for handle in self._handles.values():
            os.close(handle)
        self._handles.clear()

    def await_hello(self, token: str, pid: int, until: float) -> tuple[protocol.Link | None, int]:
        """Wait for a new participant; return its link and its pid, or None if it has died before."""
        while token not in self._hellos:
            left = until - time.monotonic()
            if left <= 0:
                raise CannotCheck(f"a process that {self.name} has started has not begun in time")
            ready, _, _ = select.select([self.listener, self.link.socket], [], [], left)
            if self.listener in ready:
                self._greet()
            elif self.link.socket in ready:
                self._receive(left)
                if pid in self._dead:
                    return None, pid
        link, own_pid = self._hellos.pop(token)
        if hasattr(os, "pidfd_open") and own_pid not in self._handles:
            with suppress(OSError):
                self._handles[own_pid] = os.pidfd_open(own_pid)
        return link, own_pid

    def _greet(self) -> None:
        connection, _ = self.listener.accept()
        connection.settimeout(_ENDS_WITHIN)
        link = protocol.Link(connection)
        what, token, pid, _ = link.receive()
        assert what == HELLO
        self._hellos[token] = link, pid

    def await_exit(self, pid: int, link: protocol.Link, within: float) -> int | None:
        """Wait until a process is really gone; return its exit code, None where it cannot be known."""
        until = time.monotonic() + within
        if pid in self._handles:
            select.select([self._handles[pid]], [], [], within)
        else:
            with suppress(OSError, EOFError):
                link.socket.settimeout(within)
                while link.socket.recv(4096):
                    pass
        if (code := _zombie_code(pid)) is not None:
            return code
        # nobody but the template process has it for a child: it is reaped, and tells
        while pid not in self._dead and (left := until - time.monotonic()) > 0:
            with suppress(TimeoutError):
                self._receive(min(left, 0.2))
        return self._dead.get(pid)

    def where(self, pid: int) -> str:
        """Return where a process is that does not come to its next operation."""
        path = Path(self.folder) / "where"
        with suppress(OSError):
            os.truncate(path, 0)
            os.kill(pid, signal.SIGUSR1)
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            time.sleep(0.02)
            for file, line, function in re.findall(r'File "(.+)", line (\d+) in (.+)', path.read_text()):
                if _is_own_file(file):
                    return f"{function}, {Path(file).name}, line {line}"
        return ""

    def _receive(self, within: float) -> None:
        self.link.socket.settimeout(max(0.01, within))
        try:
            what, *content = self.link.receive()
        except EOFError:
            self._output.seek(0)
            words = self._output.read().decode(errors="replace").strip().splitlines()[-1:]
            raise CannotCheck(f"{self.name} cannot be run: {' '.join(words) or 'its process has died'}") from None
        if what == "forked":
            self._group = content[0]
        elif what == "dead":
            pid, code, is_over = content
            self._dead[pid] = code
            if is_over:
                self._group_is_over = True


def _preparation(program: Callable[[], Any]) -> dict[str, Any] | None:
    """Return what a spawned process needs to know of this one, if the program is in the script that runs here."""
    if getattr(_inner(program), "__module__", "") != "__main__":
        return None
    if not hasattr(sys.modules["__main__"], "__file__"):
        return None
    preparation = spawn.get_preparation_data("main")
    del preparation["authkey"]
    return preparation


def _inner(program: Callable[[], Any]) -> Any:
    """Return the function within a `functools.partial`."""
    return getattr(program, "func", program)


def _is_importable(program: Callable[[], Any]) -> bool:
    """Tell whether another process can import the program; not one in a cell of a notebook."""
    try:
        pickle.dumps(program)
    except Exception:
        return False
    is_in_a_cell = _inner(program).__module__ == "__main__" and not hasattr(sys.modules["__main__"], "__file__")
    return not is_in_a_cell


def _interpreter_flags() -> list[str]:
    return vars(util)["_args_from_interpreter_flags"]()


def _start_method() -> str | None:
    return get_start_method(allow_none=True)


def _zombie_code(pid: int) -> int | None:
    """Return the exit code of a process that has ended and waits to be reaped, where that can be seen (Linux)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return os.waitstatus_to_exitcode(int(fields[-1])) if fields[0] == "Z" else None


def _is_own_file(file: str) -> bool:
    return not file.startswith("<") and is_own(compile("", file, "exec"), {})


def _remove(kind: str, name: str) -> None:
    with suppress(OSError, KeyError):
        vars(resource_tracker)["_CLEANUP_FUNCS"][kind](name)

"""The processes of a check: the template processes, all that is forked of them run by run, and what they leave."""

import itertools
import os
import pickle
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack, suppress
from multiprocessing import get_start_method, spawn, util
from pathlib import Path
from typing import Any, Self

from helpers.control import protocol, template_process
from helpers.control.participant import HELLO, is_own
from helpers.control.probes import everything, resources
from helpers.control.run import CannotCheck
from helpers.supervision.interrupts import Block, gives_way, uninterrupted
from helpers.supervision.runtime_folder import runtime_folder

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_STARTS_WITHIN = 30.0  # seconds
_LEAVES_WITHIN = 1.0  # seconds after it was asked to
_ENDS_WITHIN = 2.0  # seconds after it was killed
_MOST_OUTPUT = 4000  # bytes, the last of them
_numbers = itertools.count()  # of the checks of this process


class ProcessTree(Block):
    """The processes of one check; no Ctrl-C cuts their start and their end in two."""

    def __init__(self, program: Callable[[], Any], grain: str) -> None:
        inner = _inner(program)
        self.name = getattr(inner, "__qualname__", type(inner).__qualname__)
        if not hasattr(os, "fork"):
            raise CannotCheck("control forks each run of a program, which this system cannot; use Linux, macOS or WSL")
        self.program = program
        self.grain = grain
        # where no other process can import it (from the cell of a notebook, say) the runs are forks of this process
        self._is_own_fork = not _is_importable(program)
        packed = b"" if self._is_own_fork else pickle.dumps(program)
        self._job = pickle.dumps((_preparation(program), packed, _start_method(), grain))
        self._hellos: dict[str, tuple[protocol.Link, int]] = {}
        self._exit_codes: dict[int, int] = {}
        self._pidfds: dict[int, int] = {}  # pid -> what becomes ready when the process has ended
        self._group = 0  # of processes, of this run
        self._members: set[int] = set()  # pids in that group, of which the templates say when they have ended

    def __enter__(self) -> Self:
        return super().__enter__()

    def _open(self) -> Self:
        with ExitStack() as opened:
            # a short name, for the sockets in it
            folder = runtime_folder() / f"c{next(_numbers)}"
            folder.mkdir(mode=0o700)
            self.folder = str(folder)
            opened.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self._listener, self.address = protocol.listen(self.folder)
            opened.callback(self._listener.close)
            self._output = opened.enter_context((Path(self.folder) / "output").open("w+b"))
            opened.callback(resources.put_away, self.folder)
            self._templates = [self._start_template(opened)]
            if self._is_own_fork:
                self._templates.append(self._fork_template(opened))
            opened.callback(self._forget_run)
            self._opened = opened.pop_all()
        return self

    def _end(self, error: BaseException | None) -> None:
        self._opened.close()

    def _start_template(self, opened: ExitStack) -> protocol.Link:
        """Start the template of importable programs, and of whatever is spawned; return the link to it."""
        ours, theirs = socket.socketpair()
        opened.callback(ours.close)
        code = (f"import sys; sys.path[:] = {sys.path!r}; from helpers.control.template_process import main; "
                f"main({theirs.fileno()}, {self.folder!r}, {self.address!r})")  # fmt: skip
        with theirs:
            try:
                template = subprocess.Popen(
                    [sys.executable, *_interpreter_flags(), "-c", code],
                    pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output,
                    start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                raise CannotCheck(f"{self.name} cannot be run, because no process can be started: {error}") from error
        opened.callback(_reap, template)
        link = protocol.Link(ours)
        opened.callback(_dismiss, link)
        self._expect_ready(link, self._job)
        return link

    def _fork_template(self, opened: ExitStack) -> protocol.Link:
        """Fork the template of a program that only this process knows; return the link to it."""
        ours, theirs = socket.socketpair()
        opened.callback(ours.close)
        everything.load()
        # until the fork has its own handler, Ctrl-C would make it a second self of this process
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        with warnings.catch_warnings():
            # it is forked beside threads of this process, none of which it needs
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            # with this end in its own hands it would never see that the other side is gone
            ours.close()
            for link in self._templates:
                link.close()
            self._listener.close()
            template_process.main_of_fork(theirs, self.folder, self.address, self._output.fileno(),
                                          self.program, self.grain)  # fmt: skip
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        theirs.close()
        opened.callback(_reap_fork, pid)
        link = protocol.Link(ours)
        opened.callback(_dismiss, link)
        self._expect_ready(link, None)
        return link

    def _expect_ready(self, link: protocol.Link, job: bytes | None) -> None:
        link.socket.settimeout(_STARTS_WITHIN)

        def wait() -> None:
            if job is not None:
                link.send(job)
            link.receive()

        try:
            # the program is imported meanwhile, which may take long
            if gives_way(wait):
                raise CannotCheck(f"{self.name} was interrupted while it was imported")
        except TimeoutError:
            raise CannotCheck(
                f"{self.name} cannot be run: it takes longer than {_STARTS_WITHIN:g} s to import"
            ) from None
        except (EOFError, OSError):
            raise self._why_dead() from None

    def _why_dead(self) -> CannotCheck:
        words = self._read_output().strip().splitlines()[-1:]
        died = "the process that each run is forked of has died; does the program end its parent?"
        return CannotCheck(f"{self.name} cannot be run: {' '.join(words) or died}")

    def _read_output(self) -> str:
        """Return the end of what the processes wrote."""
        self._output.seek(max(0, self._output.seek(0, os.SEEK_END) - _MOST_OUTPUT))
        return self._output.read().decode(errors="replace")

    # -- a run -------------------------------------------------------------------------------------------------------

    @uninterrupted
    def begin_run(self) -> None:
        """Have the template process begin a run."""
        self._output.truncate(0)
        self._output.seek(0)
        self._exit_codes.clear()
        self._group = 0
        self._templates[-1].send(("run", 0))
        until = time.monotonic() + _STARTS_WITHIN
        while not self._group:
            self._follow_templates(until - time.monotonic())
            if time.monotonic() > until:
                raise CannotCheck(f"{self.name} has not begun in time")

    @uninterrupted
    def end_run(self) -> str:
        """See that no process of the run is left, and nothing that it has named; return what they wrote."""
        if not self._await_members(_LEAVES_WITHIN):
            for link in self._templates:
                link.send(("kill", self._group))
            self._await_members(_ENDS_WITHIN)
        self._forget_run()
        resources.put_away(self.folder)
        return self._read_output()

    def _await_members(self, within: float) -> bool:
        until = time.monotonic() + within
        while self._members and (left := until - time.monotonic()) > 0:
            self._follow_templates(left)
        return not self._members

    def _forget_run(self) -> None:
        for link, _ in self._hellos.values():
            link.close()
        self._hellos.clear()
        for handle in self._pidfds.values():
            os.close(handle)
        self._pidfds.clear()
        self._members.clear()

    def await_hello(self, token: str, pid: int, until: float) -> tuple[protocol.Link | None, int]:
        """Wait for a new participant; return its link and its pid, or None if it has died before."""
        while token not in self._hellos:
            left = until - time.monotonic()
            if left <= 0:
                raise CannotCheck(f"a process that {self.name} has started has not begun in time")
            self._follow_templates(left, self._listener)
            if pid in self._exit_codes and token not in self._hellos:
                return None, pid
        link, own_pid = self._hellos.pop(token)
        if hasattr(os, "pidfd_open") and own_pid not in self._pidfds:
            with suppress(OSError):
                self._pidfds[own_pid] = os.pidfd_open(own_pid)
        return link, own_pid

    def _greet(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(_ENDS_WITHIN)
        link = protocol.Link(connection)
        what, token, pid, _ = link.receive()
        assert what == HELLO
        self._hellos[token] = link, pid

    def await_exit(self, pid: int, link: protocol.Link, within: float) -> int | None:
        """Wait until a process is really gone; return its exit code, None where it cannot be known."""
        if pid in self._pidfds:
            select.select([self._pidfds[pid]], [], [], within)
        else:
            with suppress(OSError, EOFError):
                link.socket.settimeout(within)
                while link.socket.recv(4096):
                    pass
        until = time.monotonic() + within
        self._follow_templates(0)
        # a child of the template process is reaped there, and its starter is told before we are: until then the starter
        # would find it alive or not, as luck has it
        if pid not in self._members and (code := _zombie_code(pid)) is not None:
            return code
        while pid not in self._exit_codes and (left := until - time.monotonic()) > 0:
            self._follow_templates(left)
        return self._exit_codes.get(pid)

    def has_died(self, pid: int) -> bool:
        """Tell whether a process has ended, where that can be seen (Linux)."""
        return pid in self._pidfds and bool(select.select([self._pidfds[pid]], [], [], 0)[0])

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

    def _follow_templates(self, within: float, listener: socket.socket | None = None) -> None:
        """Take note of what the templates tell, and of who says hello; wait for the first of it, if need be."""
        links = [link for link in self._templates if link.has_message()]
        if not links:
            ends: list[socket.socket] = [link.socket for link in self._templates]
            ready, _, _ = select.select([*ends, *([listener] if listener else [])], [], [], max(0.0, within))
            if listener in ready:
                self._greet()
            links = [link for link in self._templates if link.socket in ready]
        for link in links:
            try:
                what, pid, number = link.receive()
            except EOFError:
                raise self._why_dead() from None
            if what == "dead":
                self._exit_codes[pid] = number
                self._members.discard(pid)
            elif what == "begun":
                self._group = number
                self._members = {pid}
            elif number == self._group:
                self._members.add(pid)


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


def _dismiss(link: protocol.Link) -> None:
    """Have a template kill all that it has forked, and end."""
    with suppress(OSError):
        link.socket.settimeout(_ENDS_WITHIN)
        link.send(("end", 0))
    link.close()


def _reap(template: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a template whose link was closed."""
    try:
        template.wait(_ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        template.kill()
        template.wait()


def _reap_fork(pid: int) -> None:
    """Wait for the end of a forked template whose link was closed."""
    until = time.monotonic() + _ENDS_WITHIN
    with suppress(ChildProcessError):
        while not os.waitpid(pid, os.WNOHANG)[0]:
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.001)

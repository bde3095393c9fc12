"""The template process: small, warm with the installed modules that the program needs; each run is forked of it.

Every run of a program begins in a fresh process, and so does every child of it that is spawned: they import the
program's own modules anew, but find the interpreter and the installed modules ready. A fork takes a hundredth of the
time that an interpreter takes to start. The process of the next run is forked while this run goes on.
"""

import ctypes
import faulthandler
import gc
import os
import pickle
import select
import shutil
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from multiprocessing import context, forkserver, process, spawn, util
from typing import Any, NoReturn

from helpers.control import participant, protocol
from helpers.control.probes import everything, processes, resources

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_MOST_FDS = 250
_PR_SET_CHILD_SUBREAPER = 36  # of prctl(2)
_GROUP = struct.Struct("<q")
_ENDS_WITHIN = 1.0  # seconds after it was killed


class Template:
    """What a template process does until its link to the controller breaks."""

    def __init__(
        self, link: protocol.Link, folder: str, perform: Callable[[], None], listener: socket.socket | None = None
    ) -> None:
        self.link = link
        self.folder = folder
        self.perform = perform  # what each run does
        self.listener = listener  # for those who want a process spawned
        self.wake, self._bell = socket.socketpair()
        self.status: dict[int, int] = {}  # pid of a spawned child -> where its starter reads how it ended
        self.groups: dict[int, int] = {}  # pid of every child that has not been reaped -> its process group
        self.next_run = 0, -1  # the pid of a process that is ready for the next run, and where it is told to begin

    def serve(self) -> None:
        """Fork what is asked for, and report every end."""
        for end in (self.wake, self._bell):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._bell.fileno())
        self.link.send(("ready", 0, 0))
        self._prepare_run()
        sources = [self.link.socket, self.wake, *([self.listener] if self.listener else [])]
        while True:
            ready, _, _ = select.select(sources, [], [])
            if self.wake in ready:
                with suppress(BlockingIOError):
                    self.wake.recv(4096)
                self._reap()
            if self.listener in ready:
                self._fork_spawned()
            if self.link.socket in ready and not self._obey():
                return

    def _obey(self) -> bool:
        """Do what the controller asks for; False when that was the last."""
        while True:
            try:
                what, group = self.link.receive()
            except EOFError:
                # it was killed; otherwise it is the one that puts away what is left
                self._kill_all()
                resources.put_away(self.folder)
                shutil.rmtree(self.folder, ignore_errors=True)
                return False
            match what:
                case "run":
                    self._begin_run()
                case "kill":
                    self._kill(group)
                case "end":
                    self._kill_all()
                    return False
            if not self.link.has_message():
                return True

    def _prepare_run(self) -> None:
        """Fork the process of the next run; it waits until it may begin."""
        told, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(tell)
            self._let_go()
            os.setpgid(0, 0)
            if os.read(told, 1):
                os.close(told)
                self.perform()
            os._exit(0)
        os.close(told)
        with suppress(OSError):
            os.setpgid(pid, pid)
        self.groups[pid] = pid
        self.next_run = pid, tell

    def _begin_run(self) -> None:
        pid, tell = self.next_run
        with suppress(BrokenPipeError):
            os.write(tell, b"!")
        os.close(tell)
        self.next_run = 0, -1  # that number may soon be another file's, which the next child must not close
        self.link.send(("begun", pid, pid))
        self._prepare_run()

    def _fork_spawned(self) -> None:
        assert self.listener
        connection, _ = self.listener.accept()
        with connection:
            packed, fds, _, _ = socket.recv_fds(connection, _GROUP.size, _MOST_FDS)
        if not packed:
            # who asked was killed meanwhile
            return
        group = _GROUP.unpack(packed)[0]
        data, status, *inherited = fds
        pid = os.fork()
        if pid == 0:
            self._let_go()
            os.close(status)
            # its run may be over already, or of another session; then the controller ends it by its pid
            with suppress(OSError):
                os.setpgid(0, group)
            forkserver._forkserver._inherited_fds = inherited
            with _end_of_process():
                sys.exit(spawn._main(data, os.dup(data)))
        for fd in (data, *inherited):
            os.close(fd)
        self.status[pid], self.groups[pid] = status, group
        self.link.send(("spawned", pid, group))
        os.write(status, struct.pack("q", pid))

    def _reap(self) -> None:
        while True:
            try:
                pid, state = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(state)
            if self.groups.pop(pid, 0) == pid:
                # whoever is left of the run that it led
                _kill_group(pid)
                self._kill_adopted()
            if (status := self.status.pop(pid, None)) is not None:
                with suppress(OSError):
                    os.write(status, struct.pack("q", code))
                os.close(status)
            self.link.send(("dead", pid, code))

    def _kill(self, group: int) -> None:
        _kill_group(group)
        for pid in [pid for pid, its_group in self.groups.items() if its_group == group]:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def _kill_adopted(self) -> None:
        """Kill those who left their process group and then lost their parent (Linux)."""
        with suppress(OSError), open(f"/proc/self/task/{os.getpid()}/children") as children:  # noqa: PTH123
            for pid in map(int, children.read().split()):
                if pid not in self.groups:
                    os.kill(pid, signal.SIGKILL)

    def _kill_all(self) -> None:
        """Kill and reap every child."""
        for group in {*self.groups.values()}:
            self._kill(group)
        self.groups.clear()
        until = time.monotonic() + _ENDS_WITHIN
        with suppress(ChildProcessError):
            while time.monotonic() < until:
                if not os.waitpid(-1, os.WNOHANG)[0]:
                    self._kill_adopted()
                    time.sleep(0.001)

    def _let_go(self) -> None:
        """Give up, in a child, what belongs to the template."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in (self.link.socket, self.listener, self.wake, self._bell):
            if each:
                each.close()
        for fd in (*self.status.values(), self.next_run[1]):
            with suppress(OSError):
                os.close(fd)
        # what multiprocessing counts begins anew
        process._children.clear()


def connect_to_new_process(fds: list[int]) -> tuple[int, int]:
    """Ask the template process for a process; return where to read its pid and exit code, and where to write its work.

    Stands in for `multiprocessing.forkserver.connect_to_new_process`, whose protocol it keeps.
    """
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(_spawner)
        status_end, status = os.pipe()
        data, data_end = os.pipe()
        try:
            socket.send_fds(client, [_GROUP.pack(os.getpgrp())], [data, status, *fds])
        finally:
            os.close(data)
            os.close(status)
    return status_end, data_end


_spawner = ""  # the address of the template process's listener


def run_program(job: bytes, folder: str) -> None:
    """Be the first process of a run: call the program, tell its outcome, leave as a program does."""
    preparation, program, start_method, grain = pickle.loads(job)
    with _end_of_process():
        process.current_process()._config["tempdir"] = folder
        if preparation:
            spawn.prepare(preparation)
        if start_method:
            context._default_context.set_start_method(start_method, force=True)
        processes.perform_program(pickle.loads(program), grain)


def run_known_program(program: Callable[[], Any], grain: str) -> None:
    """Be the first process of a run whose program is here already."""
    with _end_of_process():
        processes.perform_program(program, grain)


@contextmanager
def _end_of_process() -> Iterator[None]:
    """End this process after the block: with the code of its `sys.exit`, else 0, or 1 and the traceback of an error."""
    code = 1
    try:
        yield
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        util._flush_std_streams()
        os._exit(code)


def main(fd: int, folder: str, address: protocol.Address) -> None:
    """Be the template process; `fd` is its end of the link to the controller, which first tells the job."""
    link = protocol.Link(socket.socket(fileno=fd))
    job = link.receive()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(_path_of_spawner(folder))
    listener.listen(64)
    everything.load()
    warm_up(*_imported_by(job))
    _install(folder, address)
    gc.collect()
    gc.freeze()
    Template(link, folder, partial(run_program, job, folder), listener).serve()


def main_of_fork(
    end: socket.socket, folder: str, address: protocol.Address, output: int, program: Callable[[], Any], grain: str
) -> NoReturn:
    """Be the template process as a fork of the process that checks, because nobody else knows the program."""
    with _end_of_process():
        os.setsid()
        # a Ctrl-C that came meanwhile was for the process that checks; what is ignored waits no longer
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for fd, source in enumerate((os.open(os.devnull, os.O_RDONLY), output, output)):
            os.dup2(source, fd)
        # in a notebook these write to threads that a fork does not have
        sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
        sys.excepthook = sys.__excepthook__
        util._finalizer_registry.clear()
        process.current_process()._config["tempdir"] = folder
        _install(folder, address)
        gc.freeze()
        Template(protocol.Link(end), folder, partial(run_known_program, program, grain)).serve()
    raise AssertionError("the process has ended")


def _install(folder: str, address: protocol.Address) -> None:
    global _spawner
    _spawner = _path_of_spawner(folder)
    participant.configure(address)
    everything.install(folder, connect_to_new_process)
    # a process that does not come to its next operation is asked where it is
    faulthandler.register(signal.SIGUSR1, file=open(os.path.join(folder, "where"), "a"))  # noqa: SIM115, PTH118, PTH123
    _adopt_orphans()


def _path_of_spawner(folder: str) -> str:
    return os.path.join(folder, "spawn")  # noqa: PTH118 (no Path where children import)


def _adopt_orphans() -> None:
    """Have processes whose parent has been killed become children of this one, which reaps them (Linux)."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


Own = tuple[str, str, bool]  # a module of the program's own: its name and file, and whether it is a package


def _imported_by(job: bytes) -> tuple[list[str], list[Own]]:
    """Return what the program imports: installed modules and its own. A fork tries it, and this process stays clean."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            preparation, program, _, _ = pickle.loads(job)
            before = set(sys.modules)
            if preparation:
                spawn.prepare(preparation)
            pickle.loads(program)
            new = {name: module for name, module in sys.modules.items() if name not in before}
            own = [(name, module.__file__, hasattr(module, "__path__")) for name, module in new.items()
                   if not _is_installed(module) and name == module.__name__ and module.__spec__]  # fmt: skip
            found = [name for name, module in new.items() if _is_installed(module)], own
            with os.fdopen(writer, "wb") as answer:
                answer.write(pickle.dumps(found))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        data = answer.read()
    os.waitpid(pid, 0)
    return pickle.loads(data) if data else ([], [])


def warm_up(installed: list[str], own: list[Own]) -> None:
    """Import the installed modules, and read the program's own, which each process will execute for itself."""
    for name in installed:
        with suppress(Exception):
            __import__(name)
    kept = _KeptModules()
    for name, file, is_package in own:
        with suppress(Exception):
            kept.keep(name, file, is_package)
    sys.meta_path.insert(0, kept)


class _KeptModules:
    """Finds modules whose code has been read before: a fork need not look for them again."""

    def __init__(self) -> None:
        self._specs: dict[str, tuple[str, SourceFileLoader, list[str] | None]] = {}

    def keep(self, name: str, file: str, is_package: bool) -> None:
        """Read the code of a module."""
        loader = SourceFileLoader(name, file)
        code = loader.get_code(name)
        loader.get_code = lambda _: code
        self._specs[name] = file, loader, [os.path.dirname(file)] if is_package else None  # noqa: PTH120

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the specification of a module that was kept (see `importlib.abc.MetaPathFinder`)."""
        if name not in self._specs:
            return None
        file, loader, folders = self._specs[name]
        return spec_from_file_location(name, file, loader=loader, submodule_search_locations=folders)


def _is_installed(module: Any) -> bool:
    file = getattr(module, "__file__", None)
    return file is None or file.startswith(participant.INSTALLED) or "site-packages" in file


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)

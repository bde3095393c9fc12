"""The template process: small, warm with the installed modules that the program needs; each run is forked of it.

Every run of a program begins in a fresh process, and so does every child of it that is spawned: they import the
program's own modules anew, but find the interpreter and the installed modules ready. A fork takes a hundredth of the
time that an interpreter takes to start.
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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from multiprocessing import context, forkserver, process, spawn, util
from typing import Any

from helpers.control import participant, protocol
from helpers.control.probes import everything, processes

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_MOST_FDS = 250
_PR_SET_CHILD_SUBREAPER = 36  # of prctl(2)
_GROUP = struct.Struct("<q")


class Template:
    """What the template process does until its link to the controller breaks."""

    def __init__(self, link: protocol.Link, listener: socket.socket, folder: str) -> None:
        self.link = link
        self.listener = listener
        self.folder = folder
        self.wake, self._bell = socket.socketpair()
        self.status: dict[int, int] = {}  # pid of a spawned child -> where its starter reads how it ended
        self.groups: dict[int, int] = {}  # pid of every child that has not been reaped -> its process group

    def serve(self) -> None:
        """Fork what is asked for, and report every end."""
        for end in (self.wake, self._bell):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._bell.fileno())
        self.link.send(("ready",))
        while True:
            ready, _, _ = select.select([self.link.socket, self.listener, self.wake], [], [])
            if self.wake in ready:
                with suppress(BlockingIOError):
                    self.wake.recv(4096)
                self._reap()
            if self.listener in ready:
                self._fork_spawned()
            if self.link.socket in ready:
                try:
                    what, content = self.link.receive()
                except EOFError:
                    self._kill_all()
                    # the controller does that too, unless it was killed
                    shutil.rmtree(self.folder, ignore_errors=True)
                    return
                if what == "run":
                    self._fork_program(content)
                else:
                    _kill_group(content)

    def _fork_program(self, job: bytes) -> None:
        pid = os.fork()
        if pid == 0:
            _as_child(self._close)
            os.setpgid(0, 0)
            run_program(job, self.folder)
        with suppress(OSError):
            os.setpgid(pid, pid)
        self.groups[pid] = pid
        self.link.send(("forked", pid))

    def _fork_spawned(self) -> None:
        connection, _ = self.listener.accept()
        with connection:
            group, fds, _, _ = socket.recv_fds(connection, _GROUP.size, _MOST_FDS)
        group = _GROUP.unpack(group)[0]
        data, status, *inherited = fds
        pid = os.fork()
        if pid == 0:
            _as_child(self._close)
            os.close(status)
            # its run may be over already; then the controller ends it by its pid
            with suppress(OSError):
                os.setpgid(0, group)
            forkserver._forkserver._inherited_fds = inherited
            with _end_of_process():
                sys.exit(spawn._main(data, os.dup(data)))
        for fd in (data, *inherited):
            os.close(fd)
        self.status[pid], self.groups[pid] = status, group
        os.write(status, struct.pack("q", pid))

    def _reap(self) -> None:
        while True:
            try:
                pid, state = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if self.groups.get(pid) == pid:
                # whoever is left of the run that it led
                _kill_group(pid)
            code = os.waitstatus_to_exitcode(state)
            group = self.groups.pop(pid, 0)
            if (status := self.status.pop(pid, None)) is not None:
                with suppress(OSError):
                    os.write(status, struct.pack("q", code))
                os.close(status)
            self.link.send(("dead", pid, code, group not in self.groups.values()))

    def _kill_all(self) -> None:
        for pid, group in self.groups.items():
            _kill_group(group)
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def _close(self) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in (self.link.socket, self.listener, self.wake, self._bell):
            each.close()
        for status in self.status.values():
            os.close(status)


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


def be_forked_program(tree: Any) -> None:
    """Be the first process of a run, forked not of the template process but of the process that checks."""
    global _spawner
    with _end_of_process():
        tree.as_child()
        # in a notebook these write to threads that a fork does not have
        sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _spawner = os.path.join(tree.folder, "spawn")  # noqa: PTH118
        process.current_process()._config["tempdir"] = tree.folder
        process._children.clear()
        util._finalizer_registry.clear()
        faulthandler.register(signal.SIGUSR1, file=open(os.path.join(tree.folder, "where"), "a"))  # noqa
        participant.configure(tree.address)
        everything.install(connect_to_new_process)
        processes.perform_program(tree.program, tree.grain)


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


def main(fd: int, folder: str, address: protocol.Address, job: str) -> None:
    """Be the template process; `fd` is its end of the link to the controller, `job` what it will run, in hex."""
    global _spawner
    listener = socket.socket(socket.AF_UNIX)
    _spawner = os.path.join(folder, "spawn")  # noqa: PTH118 (no Path where children import)
    listener.bind(_spawner)
    listener.listen(64)
    everything.load()
    warm_up(*_imported_by(bytes.fromhex(job)))
    participant.configure(address)
    everything.install(connect_to_new_process)
    # a process that does not come to its next operation is asked where it is
    faulthandler.register(signal.SIGUSR1, file=open(os.path.join(folder, "where"), "a"))  # noqa: SIM115, PTH118, PTH123
    _adopt_orphans()
    gc.collect()
    gc.freeze()
    Template(protocol.Link(socket.socket(fileno=fd)), listener, folder).serve()


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


def _as_child(close: Any) -> None:
    close()
    # what multiprocessing counts begins anew
    process._children.clear()


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)

"""What supervision runs inside a child: it ends with its parent, answers where it is, keeps its errors apart."""

import linecache
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import threading
import time
from multiprocessing import context, util
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

from helpers.supervision import start_hooks

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_LOOK_EVERY = 0.5  # seconds between two looks at the parent's number
STANDARD_LIBRARY = str(Path(threading.__file__).parent)


def come_under_supervision(control: socket.socket, errors: Path) -> None:
    """Put this child under supervision, before it does anything else.

    `control` is this child's end of the line to its supervisor; each byte that arrives is answered with the place
    where the child is. What the child writes to standard error goes to the file `errors`.
    """
    if hasattr(os, "setpgid"):
        # one group a child: Ctrl-C goes past it, and whatever it forks can be ended with it
        os.setpgid(0, 0)
    else:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stderr = errors.open("w", buffering=1, encoding="utf-8", errors="backslashreplace")
    os.dup2(sys.stderr.fileno(), 2)
    _folders.append(errors.parent)
    _watch_over(control)


def where(frame: FrameType) -> str:
    """Say in words where a frame is: the function, the file or cell, the line and its text.

    Names the innermost function that is not of the standard library, else the innermost of multiprocessing.
    """
    frames = [frame]
    while frames[-1].f_back:
        frames.append(frames[-1].f_back)
    own = [frame for frame in frames if _is_own(frame)]
    library = [frame for frame in frames if "multiprocessing" in frame.f_code.co_filename]
    return _describe((own or library or frames)[0])


def where_main_thread_is() -> str:
    """Say in words where the main thread of this process is."""
    main_thread = threading.main_thread().ident
    assert main_thread is not None, "it runs, and so has a number"
    return where(sys._current_frames()[main_thread])


class _Descendants:
    """Hands supervision on to the children of a child: they too end with their parent."""

    def before_start(self, process: BaseProcess) -> start_hooks.Call:
        return _watch_over, (None,)

    def after_start(self, process: BaseProcess) -> None:
        pass


class _Watchdog:
    """A thread that waits for the parent to die or the supervisor to ask."""

    def __init__(self, control: socket.socket | None) -> None:
        self.control = control
        self.pid = os.getpid()

    def start(self) -> None:
        # multiprocessing's registry is inherited by grandchildren; each has a watchdog of its own
        if self.pid == os.getpid():
            threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        # taken from the module only here: a worker without pipes need not pay for the import before it runs
        from multiprocessing.connection import wait

        parent, control = multiprocessing.parent_process(), self.control
        assert parent is not None, "only a child has a watchdog"
        watched = [each for each in (parent.sentinel, control) if each is not None]
        # the processes of joblib know their parent by its number alone
        look_again = None if parent.sentinel is not None else _LOOK_EVERY
        while True:
            ready = wait(watched, look_again)
            if not watched:
                time.sleep(_LOOK_EVERY)  # with nothing to watch, `wait` need not take its time
            if parent.sentinel in ready or (look_again and os.getppid() != parent.pid):
                _end_with_group()
            if control and control in ready and not self._answer(control):
                watched.remove(control)

    @staticmethod
    def _answer(control: socket.socket) -> bool:
        """Tell the supervisor where the main thread is; False when the line is closed."""
        try:
            if control.recv(1):
                control.sendall(where_main_thread_is().encode() + b"\0")
                return True
        except OSError:
            pass
        return False


def _watch_over(control: socket.socket | None) -> None:
    start_hooks.install(_Descendants())
    watchdog = _Watchdog(control)
    if multiprocessing.parent_process():
        watchdog.start()
    else:
        # the parent is known only when the process boots, after its object is unpickled
        util.register_after_fork(watchdog, _Watchdog.start)
        # spawn alone does not look at the registry by itself
        context.SpawnProcess._after_fork = staticmethod(vars(util)["_run_after_forkers"])  # type: ignore[attr-defined]
        _watchdogs.append(watchdog)


_watchdogs: list[_Watchdog] = []  # the registry is weak
_folders: list[Path] = []  # of the supervisor, which cannot remove them when it is killed


def _end_with_group() -> None:
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)
    if hasattr(os, "getpgrp") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def _is_own(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    installed = "site-packages" in name or name.startswith((STANDARD_LIBRARY, "<frozen", "<string>"))
    return not installed and "__tracebackhide__" not in frame.f_globals


def _describe(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    in_cell = "ipykernel" in str(path) or str(path).startswith("<ipython")
    place = "this cell" if in_cell else "/".join(path.parts[-2:])
    function = "" if frame.f_code.co_name == "<module>" else frame.f_code.co_name + ", "
    text = linecache.getline(str(path), frame.f_lineno).strip()
    return f"{function}{place}, line {frame.f_lineno}" + (f": {text}" if text else "")

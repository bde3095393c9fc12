"""The runtime folder that all blocks of one process share: short enough for sockets, and never left behind.

The folder is removed when the process ends. Where it was killed, the next process of the same user removes it: each
folder holds a locked file, and the system lets go of a lock when its holder is gone, however it went.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import current_process, util
from pathlib import Path
from typing import IO

from helpers.supervision import own_session

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__tracebackhide__ = True  # an instrument: never the place where somebody waits

PREFIX = "talking-processes-"
LOCK = "alive"
# bytes of a socket's path: 108 with the closing zero on Linux, 104 on macOS; of it a block's number, "listener-" and
# 8 letters belong to the name
LONGEST_FOLDER = 103 - len("/123456/listener-12345678")
_EMPTY_FOR = 60.0  # seconds until a folder without a lock belongs to nobody: its maker was killed on the way


def runtime_folder() -> Path:
    """Return the runtime folder of this process; make it, and put away those of killed processes, at the first call.

    From then on multiprocessing keeps its sockets there too, and its resource tracker outlives a kill of the whole
    process group, so that semaphores and shared memory are put away. Raises OSError where no folder can be made whose
    path is short enough for a socket.
    """
    global _current
    if _current is None or _current.pid != os.getpid():
        _current = _RuntimeFolder()
    return _current.path


class _RuntimeFolder:
    def __init__(self) -> None:
        self.pid = os.getpid()
        own_session.start_tracker()
        _put_away_folders_of_the_dead()
        self.path = _new_folder()
        self._lock = self._locked()
        config = vars(current_process())["_config"]
        # children inherit this setting; one that made a folder of its own could not remove it when it is killed
        config.setdefault("tempdir", str(self.path))
        # last of all, as multiprocessing does with a folder of its own making
        util.Finalize(None, self._remove, exitpriority=-100)

    def _locked(self) -> IO[bytes] | None:
        if os.name == "nt":
            return _locked(self.path / LOCK)
        # under its name only when it is locked: nobody may find it before that, and take this process for dead
        lock = _locked(self.path / "opening")
        (self.path / "opening").rename(self.path / LOCK)
        return lock

    def _remove(self) -> None:
        if self.pid == os.getpid():
            if self._lock:
                self._lock.close()
            shutil.rmtree(self.path, ignore_errors=True)


_current: _RuntimeFolder | None = None


def _bases() -> Iterator[Path]:
    """The places for temporary folders, the system's own choice first."""
    yield Path(tempfile.gettempdir())
    yield from map(Path, ("/tmp", "/var/tmp", f"/run/user/{os.getuid()}") if hasattr(os, "getuid") else ())


def _new_folder() -> Path:
    for base in _bases():
        if os.name == "nt" or len(os.fsencode(base / PREFIX)) + 8 <= LONGEST_FOLDER:
            with suppress(OSError):
                return Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    longest = LONGEST_FOLDER - len(PREFIX) - 9
    raise OSError(
        f"no temporary folder for sockets: tried {', '.join(map(str, _bases()))}. "
        f"Next: set TMPDIR to a folder that you may write to, and whose path has at most {longest} bytes."
    )


def _locked(path: Path) -> IO[bytes] | None:
    """Open a file and lock it; None when another process holds the lock, or nothing is there any more."""
    try:
        file = path.open("ab")
    except OSError:
        return None
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def _put_away_folders_of_the_dead() -> None:
    for folder in {folder for base in _bases() for folder in base.glob(f"{PREFIX}*") if _is_own(folder)}:
        lock = folder / LOCK
        if not lock.exists():
            if _age(folder) > _EMPTY_FOR:
                shutil.rmtree(folder, ignore_errors=True)
        elif held := _locked(lock):
            # closed first: Windows removes no open file
            held.close()
            shutil.rmtree(folder, ignore_errors=True)


def _is_own(folder: Path) -> bool:
    try:
        status = folder.stat(follow_symlinks=False)
    except OSError:
        return False
    return not hasattr(os, "getuid") or status.st_uid == os.getuid()


def _age(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0

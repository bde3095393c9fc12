"""Beyond one machine: what stops at the machine's edge, and a Dask cluster of real processes on loopback."""

import atexit
import json
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from multiprocessing.queues import Queue
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

from helpers import validate

if TYPE_CHECKING:
    from distributed import Client

START_WITHIN = 30.0  # s for a program of Dask to be there
STOP_WITHIN = 5.0  # s for it to end when it is asked to
IDLE = "5 minutes"  # after which a forgotten scheduler ends by itself
NEEDS_DASK = "This lesson needs Dask. Type python -m pip install -e .[dask] in the project's folder; restart the kernel"
OUTSIDER = "import pickle, sys; pickle.loads(sys.stdin.buffer.read())"


def echo(questions: Queue, answers: Queue) -> None:
    """Send back whatever comes, until None does."""
    while (question := questions.get()) is not None:
        answers.put(question)


def need_dask() -> None:
    """Raise ModuleNotFoundError, which says what to install, when Dask is not here."""
    if find_spec("distributed") is None:
        raise ModuleNotFoundError(NEEDS_DASK)


def packed_for(program: Callable[[], object]) -> str:
    """Return the words with which an object refuses to be packed by `program`, or "packed" when it does not.

    Raises TypeError when `program` is no function without arguments.
    """
    validate.function("program", program, "a function without arguments", 0)
    try:
        pickle.dumps(program())
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "packed"


def opened_elsewhere(packed: bytes) -> str:
    """Unpack bytes in a process that is no relative, as on another machine; return the last line of what it says.

    It says "nothing" when it can. Raises TypeError for what is no bytes.
    """
    validate.instance("packed", packed, bytes, "bytes")
    command = [sys.executable, "-c", OUTSIDER]
    done = subprocess.run(command, input=packed, capture_output=True, timeout=START_WITHIN, check=False)
    return (done.stderr.decode(errors="replace").strip().splitlines() or ["nothing"])[-1]


class Cluster:
    """A scheduler of Dask and some workers on loopback, each a program of its own, as on machines of their own.

    Whoever forgets to stop them: they end with this process, or when nothing was done for some minutes.
    """

    def __init__(self, workers: int) -> None:
        """Start them and wait until all are there. TypeError or ValueError for a number of workers that is not 1 to 8.

        Raises TimeoutError when the scheduler is not there in time, ModuleNotFoundError without Dask.
        """
        validate.whole_number("workers", workers, 1, 8)
        need_dask()
        atexit.register(self.stop)
        self.programs: dict[str, subprocess.Popen[bytes]] = {}
        self._folder = TemporaryDirectory(prefix="talking-processes-", ignore_cleanup_errors=True)
        self._file = Path(self._folder.name, "scheduler.json")
        try:
            # port 0: any that is free
            self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--idle-timeout", IDLE,
                        "--scheduler-file", str(self._file))  # fmt: skip
            _wait_until(self._is_there)
            for number in range(1, workers + 1):
                self.start_worker(f"worker {number}")
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """Where the scheduler listens, such as tcp://127.0.0.1:8786."""
        return str(json.loads(self._file.read_text(encoding="utf-8"))["address"])

    def start_worker(self, name: str, host: str = "127.0.0.1") -> None:
        """Start one more worker; one task at a time, and no nanny that would start it again. TypeError for no text."""
        validate.text("name", name)
        validate.text("host", host)
        self._start("worker", self.address, "--name", name, "--host", host, "--nthreads", "1", "--no-nanny",
                    "--death-timeout", "10", "--local-directory", self._folder.name)  # fmt: skip

    def kill(self, name: str) -> None:
        """Kill a worker as a power cut would, without a word to anybody. ValueError for a name that there is not."""
        program = self.programs[validate.one_of("name", name, self.programs)]
        program.kill()
        program.wait(STOP_WITHIN)

    def stop(self) -> None:
        """End all that is still there, workers first, and wait until it is gone."""
        atexit.unregister(self.stop)
        for program in reversed(self.programs.values()):
            program.terminate()
            try:
                program.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait(STOP_WITHIN)
        self._folder.cleanup()

    def _is_there(self) -> bool:
        try:
            return bool(self.address)
        except (FileNotFoundError, ValueError):  # not there, or half written
            return False

    def _start(self, role: str, *options: str) -> None:
        command = [sys.executable, "-m", "dask", role, "--no-dashboard", *options]
        name = options[options.index("--name") + 1] if "--name" in options else role
        # a session of its own: Ctrl-C in a terminal is for whoever asked, and `stop` ends it
        self.programs[name] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip


def _wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + START_WITHIN
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"Dask was not ready within {START_WITHIN:g} s")
        time.sleep(0.02)


def busy_worker(client: "Client") -> str:
    """Return the name of a worker that is at a task, as soon as one is; TimeoutError when none is in time."""
    names: list[str] = []

    def found() -> bool:
        at_work = [address for address, tasks in client.processing().items() if tasks]
        there = client.scheduler_info()["workers"]
        names[:] = [str(there[address]["name"]) for address in at_work if address in there]
        return bool(names)

    _wait_until(found)
    return names[0]

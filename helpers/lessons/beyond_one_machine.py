"""Beyond one machine: what stops at the machine's edge, and a Dask cluster of real processes on loopback."""

import atexit
import json
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from multiprocessing.queues import Queue
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from helpers import validate
from helpers.cards import Card
from helpers.questions import Question
from helpers.words import A_DIFFERENCE, times_as_long

if TYPE_CHECKING:
    from distributed import Client

START_WITHIN = 30.0  # s for a program of Dask to be there
STOP_WITHIN = 5.0  # s for it to end when it is asked to
IDLE = "5 minutes"  # after which a forgotten scheduler ends by itself
NEEDS_DASK = "This lesson needs Dask. Type python -m pip install -e .[dask] in the project's folder; restart the kernel"
OUTSIDER = """
import pickle, sys
thing = pickle.loads(sys.stdin.buffer.read())
if hasattr(thing, "poll"):
    thing.poll()
"""


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

    A connection is looked at too. It says "nothing" when all goes well. Raises TypeError for what is no bytes.
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


def nap(seconds: float) -> str:
    """Sleep on a worker of Dask, and return its name. TypeError or ValueError for no seconds above 0, up to 60."""
    from distributed import get_worker

    validate.seconds("seconds", seconds, 60)
    time.sleep(seconds)
    return str(get_worker().name)


def dearer(cost: Mapping[str, float]) -> str:
    """Say by what was measured how much more a task costs than a round trip through a local queue; seconds by name.

    Raises TypeError or ValueError for anything but two durations or more.
    """
    for name, seconds in validate.mapping("cost", cost, "two durations or more by name", 2).items():
        validate.seconds(f"cost[{name!r}]", seconds, 60)
    words = times_as_long(cost)
    if words.startswith("No difference"):
        return f"{words}. On this machine, now, the way through Dask costs no more than a queue."
    return f"{words}. So much longer must a task be before the way there is as small a part of it."


def compare_places(cost: Mapping[str, float]) -> Callable[..., tuple[dict[str, Any], str]]:
    """Return the function for the panel: jobs in, what `bars` draws and what it means in words out.

    `cost` holds the seconds of "a local queue" and "a task under Dask" for one job without work. Raises TypeError or
    ValueError for anything else.
    """
    validate.mapping("cost", cost, "the seconds of a local queue and of a task under Dask", 2)
    for name in ("a local queue", "a task under Dask"):
        validate.seconds(f"cost[{name!r}]", cost.get(name), 60)

    def compare(jobs: int, work_ms: int, machines: int) -> tuple[dict[str, Any], str]:
        """Estimate the time for all jobs, with two workers a machine: a model, no measurement."""
        validate.whole_number("jobs", jobs, 1, 100_000)
        validate.whole_number("work_ms", work_ms, 0, 10_000)
        validate.whole_number("machines", machines, 2, 1_000)
        here = jobs * (cost["a local queue"] + work_ms / 1000 / 2)
        # one scheduler hands out one task after the other, while the workers work
        there = max(jobs * cost["a task under Dask"], jobs * work_ms / 1000 / (2 * machines))
        name = f"{machines} machines"
        words = f"{name} are worth it here." if here > A_DIFFERENCE * there else "One machine is enough for these."
        return {"seconds": {"this machine": here, name: there}, "what": "estimated time"}, words

    return compare


QUESTIONS = {
    "handle": Question(
        "An end of a pipe is packed, and its bytes reach a process that this one did not start. What comes out there?",
        {
            "error": "What is packed is a number: a place in this process's table of handles. Elsewhere that place is "
            "empty, or belongs to something else.",
        },
        {"end": "an end that works", "closed": "an end that is closed", "error": "an error"},
        judge=lambda said: "end" if said == "nothing" else "error",
    ),
    "killed": Question(
        "Two workers. One of them is killed in the middle of its task. What does the client get?",
        {
            "again": "The scheduler remembers what each worker was given. It gave the task to the other worker.",
        },
        {"error": "an error", "waits": "nothing: it waits for ever", "again": "the result, from the other worker"},
        judge=lambda names: "again" if names[0] != names[1] else "error",
    ),
}

CARD = Card(
    "A name of this machine means nothing on another",
    {"process": (0, 0), "process there": (2.4, 0)},
    {"segment": (0.9, 0.8), "network": (1.2, -0.8)},
    [("process", "segment", "name"), ("process", "network", "bytes"), ("network", "process there", "bytes")],
    """\
block = SharedMemory(create=True, size=8)
block.close(), block.unlink()
try:
    SharedMemory(block.name)
except FileNotFoundError: print("no such segment here")""",
    "no such segment here",
    [
        "Handles, semaphores and segments end at the machine's edge. Bytes and names of modules go on.",
        "A task may be done twice. Let it do no harm the second time.",
        "First fill one machine. A task over there costs more than a queue here: measure it.",
    ],
    imports="from multiprocessing.shared_memory import SharedMemory",
)

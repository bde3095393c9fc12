"""Processes: workers, scripts that are run as files, and what the system says of a process from start to end."""

import re
import statistics
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_all_start_methods
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from helpers import validate
from helpers.cards import Card
from helpers.measuring.timing import start_up
from helpers.questions import Question
from helpers.recording.recorder import record
from helpers.supervision.supervisor import ProcessesFailed, supervised

LONGEST_SCRIPT = 30  # s; one that takes longer is ended
A_LITTLE_LATER = 0.5  # s after the end of its parent, when a child is looked at
LOOK_EVERY = 0.01  # s, between two looks at a process of which nobody tells when it ends
RUNNING, ZOMBIE, GONE = "running", "zombie", "gone"
THREAD = "a thread"


def echo(connection: Connection) -> None:
    """Receive one word, and send it back."""
    connection.send(connection.recv())


def greet(connection: Connection) -> None:
    """Send a greeting."""
    connection.send("hello from the child")


def rest(seconds: float) -> None:
    """Sleep, which stands for work."""
    time.sleep(seconds)


def leave(how: str) -> None:
    """Come to an end by an error, by sys.exit, or after the last line."""
    if how == "an error":
        raise RuntimeError("I cannot go on")
    if how == "sys.exit(3)":
        sys.exit(3)


def stage(process: BaseProcess) -> str:
    """Return what a process object tells of its process, in words.

    Raises TypeError for what is no process object.
    """
    validate.instance("process", process, BaseProcess, "a process, such as ctx.Process(...) returns")
    has_id = "has a process id" if process.pid else "has no process id"
    return f"{has_id}, is alive: {process.is_alive()}, exit code: {process.exitcode}"


def try_worker(worker: Any, method: str) -> str:
    """Start a worker in a child and return what it sends, or the error with which it ends.

    Raises TypeError or ValueError for what is no function of one connection, or an unknown start method.
    """
    validate.function("worker", worker, "a function of a connection", 1)
    ctx = validate.context_of(method)
    try:
        with supervised(deadline=20):
            ours, theirs = ctx.Pipe()
            ctx.Process(target=worker, args=(theirs,)).start()
            theirs.close()  # so that recv() hears when the child ends without a word
            return str(ours.recv())
    except ProcessesFailed as failure:
        lines = [line for report in failure.reports for line in report.errors.splitlines()[-1:]]
        return lines[0] if lines else str(failure)


@dataclass(frozen=True)
class ScriptRun:
    """What came of a script that was run as a file of its own."""

    said: str  # what it and its children wrote to standard output
    errors: str  # what they wrote to standard error
    exitcode: int

    def __str__(self) -> str:
        return "\n".join(part for part in (self.said.rstrip(), self.complaint) if part)

    @property
    def complaint(self) -> str:
        """The first paragraph of the last error, without the way that led to it; empty if there was none."""
        errors = list(re.finditer(r"^\w+(?:Error|Exception)\b", self.errors, re.MULTILINE))
        return _first_paragraph(self.errors[errors[-1].start() :]) if errors else ""


def _first_paragraph(text: str) -> str:
    return textwrap.fill(" ".join(re.split(r"\n\s*\n", text)[0].split()), 78)


def run_script(text: str, *words: str) -> ScriptRun:
    """Write a script to a file, run it as `python -u script.py WORDS` does, and remove the file.

    Raises TypeError or ValueError for what is no text, subprocess.TimeoutExpired when it does not end within 30 s.
    """
    validate.text("text", text)
    validate.texts("words", words, "texts", least=0)
    with _running(text, *words) as script:
        said, errors = script.communicate(timeout=LONGEST_SCRIPT)
    return ScriptRun(said, errors, script.returncode)


@contextmanager
def _running(text: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a script as a file of its own; at the end of the block it is gone, with all children that it then has."""
    # a child may be at home in the folder a little longer, and Windows then keeps it
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "script.py"
        path.write_text(text, encoding="utf-8")
        # unbuffered, so that lines of several processes come in the order in which they were written
        command = [sys.executable, "-u", str(path), *words]
        script = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)
        with script:
            try:
                yield script
            finally:
                if script.poll() is None:
                    _end_family(script.pid)


def _end_family(pid: int) -> None:
    import psutil

    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for process in [*parent.children(recursive=True), parent]:
            with suppress(psutil.NoSuchProcess):
                process.kill()


@dataclass(frozen=True)
class Bereaved:
    """A child whose parent was killed, a moment later."""

    pid: int
    parent_was: int  # pid
    parent_is: int | None  # pid; None if the child has ended
    state: str  # RUNNING, ZOMBIE or GONE

    def __str__(self) -> str:
        if self.parent_is is None:
            return f"the child is {self.state}"
        return f"the child is {self.state}; its parent was process {self.parent_was}, now it is {self.parent_is}"


def kill_the_parent(text: str) -> Bereaved:
    """Run a script that starts a child, kill the script's process, look at the child, and end that too.

    The child must print its process id, and stay. Raises TypeError or ValueError for what is no text, and RuntimeError
    when nothing is printed.
    """
    import psutil

    validate.text("text", text)
    with _running(text) as parent:
        watch = threading.Timer(LONGEST_SCRIPT, parent.kill)
        watch.start()
        printed = parent.stdout.readline() if parent.stdout else ""
        watch.cancel()
        if not printed.strip().isdigit():
            raise RuntimeError(f"text must be a script whose child prints its process id, not {printed!r}")
        child = psutil.Process(int(printed))
        try:
            parent.kill()
            parent.wait()
            with suppress(psutil.TimeoutExpired):
                child.wait(A_LITTLE_LATER)
            return _bereaved(child.pid, parent.pid)
        finally:
            with suppress(psutil.NoSuchProcess):
                child.kill()


def _bereaved(pid: int, parent: int) -> Bereaved:
    import psutil

    state = look_at(pid)
    try:
        return Bereaved(pid, parent, psutil.Process(pid).ppid(), state)
    except psutil.NoSuchProcess:
        return Bereaved(pid, parent, None, GONE)


def look_at(pid: int) -> str:
    """Return what the system says of a process: "running", "zombie" (ended, and not yet asked after) or "gone".

    Raises TypeError or ValueError for what is no process id.
    """
    import psutil

    validate.whole_number("pid", pid, 1, 2**31)
    try:
        return ZOMBIE if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE else RUNNING
    except psutil.NoSuchProcess:
        return GONE


def look_at_once_ended(pid: int, within: float = 20.0) -> str:
    """Wait until a process has ended, without asking after it, and return what the system says of it then.

    Raises TypeError or ValueError for what is no process id or no number of seconds, TimeoutError when it goes on.
    """
    until = time.monotonic() + validate.seconds("within", within, 3600)
    while (state := look_at(pid)) == RUNNING:
        if time.monotonic() > until:
            raise TimeoutError(f"process {pid} has not ended within {within:g} s")
        time.sleep(LOOK_EVERY)
    return state


def start_times(runs: int = 5) -> dict[str, float]:
    """Return how long it takes until a worker runs, in seconds: in a thread, and in a child by each start method.

    Each is the median of so many starts. Raises TypeError or ValueError for runs that are not from 1 to 1,000.
    """
    validate.whole_number("runs", runs, 1, 1000)
    times = {method: start_up(method, runs) for method in get_all_start_methods()}
    times[THREAD] = [_one_thread() for _ in range(runs)]
    return {name: statistics.median(taken) for name, taken in times.items()}


def _one_thread() -> float:
    began: list[float] = []
    begin = time.perf_counter()
    thread = threading.Thread(target=lambda: began.append(time.perf_counter()))
    thread.start()
    thread.join()
    return began[0] - begin


def start_and_join(
    children: int, work_ms: int, method: str, join_before_the_next_start: bool
) -> tuple[dict[str, Any], str]:
    """Start children that work for so long, and join them; the panel of the lesson.

    Return what `lanes` draws, and in words how long it all took. Raises TypeError or ValueError for children that are
    not from 1 to 16, a time that is not from 1 to 2,000 ms, an unknown start method, or what is neither True nor False.
    """
    validate.whole_number("children", children, 1, 16)
    validate.whole_number("work_ms", work_ms, 1, 2000)
    validate.flag("join_before_the_next_start", join_before_the_next_start)
    ctx = validate.context_of(method)
    with record(deadline=60 + children * work_ms / 1000) as run:
        begin = time.perf_counter()
        started = []
        for number in range(children):
            child = ctx.Process(target=rest, args=(work_ms / 1000,), name=f"child {number + 1}")
            child.start()
            if join_before_the_next_start:
                child.join()
            else:
                started.append(child)
        for child in started:
            child.join()
        seconds = time.perf_counter() - begin
    work = children * work_ms / 1000
    return {"run": run}, f"{work:.2f} s of work in all took {seconds:.2f} s, starts and ends included."


def _arrived(outcome: str) -> str:
    return "arrives" if outcome.startswith("hello") else "fails"


def _what_the_file_did(run: ScriptRun) -> str:
    return "greets" if run.exitcode == 0 and "hello" in run.said else "refused"


def _times_as_long(times: Mapping[str, float]) -> str:
    ratio = times["spawn"] / times[THREAD]
    return "more" if ratio > 100 else "some" if ratio > 10 else "few"


def _after_the_last_line(run: ScriptRun) -> str:
    if "done" not in run.said:
        return "ended"
    return "waits" if "still there? True" in run.said else "alone"


QUESTIONS = {
    "from_a_cell": Question(
        "A child is started with this worker, by `spawn`. What happens?",
        {
            "fails": "The child looked for the worker by its name, and found nothing of that name.",
            "arrives": "The child was given the worker itself, and not just its name.",
        },
        {
            "arrives": "the greeting arrives",
            "fails": "the child fails, and nothing arrives",
            "never": "start() raises an error, and there is no child",
        },
        judge=_arrived,
    ),
    "unguarded": Question(
        "This file is run, and starts its child by `spawn`. What happens?",
        {
            "refused": "The child read the file to find the worker, and came to `start()` itself. Python refused: "
            "otherwise that child would start a child, which would start a child.",
            "greets": "The child found its worker without coming to `start()` itself.",
        },
        {
            "greets": "the child greets, and both end well",
            "endless": "children start children without end",
            "refused": "the child fails before it greets",
        },
        judge=_what_the_file_did,
    ),
    "start_cost": Question(
        "How much longer does it take until a worker runs in a child by `spawn` than in a thread?",
        {
            "few": "A child by `spawn` starts a Python, and a thread does not. So on most machines they are further "
            "apart. Measure again when this one has less to do.",
            "some": "The child starts a Python, which must find and read its modules. A thread has all that there.",
            "more": "The child starts a Python, which must find and read its modules. A thread has all that there.",
        },
        {"few": "up to 10 times as long", "some": "10 to 100 times", "more": "more than 100 times"},
        judge=_times_as_long,
    ),
    "last_line": Question(
        "The parent has come to its last line. Its child still has half a second to work. What happens?",
        {
            "waits": "When Python ends, it joins all children that are still at work.",
            "ended": "The child was ended with its parent.",
            "alone": "The child was done when its parent was no longer there.",
        },
        {
            "ended": "the child is ended with its parent",
            "waits": "the parent waits until the child is done",
            "alone": "the parent ends, and the child goes on alone",
        },
        judge=_after_the_last_line,
    ),
}

CARD = Card(
    "From start to join: the life of a child",
    {"at work": (2, 0)},
    {"prepared": (0, 0), "started": (1, 0), "ended": (2, 1), "joined": (1, 1)},
    [("prepared", "started", "start()"), ("started", "at work", "runs"), ("at work", "ended", "exit code"),
     ("ended", "joined", "join()")],
    """\
def greet(): print("hello")
if __name__ == "__main__":
    child = ctx.Process(target=greet)
    child.start()
    child.join()""",
    "hello",
    [
        "Without `if __name__ == \"__main__\":` a child by `spawn` comes to `start()` itself, and Python refuses.",
        "A worker stands in a file. In a notebook's cell a child by `spawn` does not find it.",
        "Name the start method: which one Python takes by itself depends on its version and on the system.",
    ],
)  # fmt: skip

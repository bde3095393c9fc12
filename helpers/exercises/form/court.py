"""Have a program judged in a process group of its own, under one deadline, and leave nothing of it."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from queue import Queue

from helpers import workbook
from helpers.exercises.form.checks import Attempt
from helpers.exercises.form.exercise import Exercise
from helpers.exercises.form.finding import Finding, Kind
from helpers.exercises.form.judge import Job, last_word

DEADLINE = 40.0  # s for all checks together; on a quiet machine they take one
_REFERENCE = "reference_"  # before the name of the module that is right
_LIMIT = "\n\nfrom helpers.exercises.form.limit import limit as _limit\n\n_limit()\n"


def judged(
    exercise: Exercise, text: str, tell: Callable[[str], None] = lambda _: None, deadline: float = DEADLINE
) -> Finding:
    """Return what the checks of an exercise find in a learner's program; `tell` hears which check is next.

    Raises nothing for whatever the program does. KeyboardInterrupt ends the check, and all that it started.
    """
    if exercise.is_untouched(text):
        return Finding(Kind.NOT_ATTEMPTED, exercise.task)
    try:
        compile(exercise.own_part(text), f"{exercise.name}.py", "exec")
    except (SyntaxError, ValueError) as error:
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
        return Finding(Kind.CRASHED, f"Python cannot read it{line}: {getattr(error, 'msg', error)}.")
    folder = Path(tempfile.mkdtemp(prefix="exercise-"))
    try:
        _lay(exercise, text, folder)
        return _heard(folder, tell, deadline)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lay(exercise: Exercise, text: str, folder: Path) -> None:
    """Write the learner's module, the one that is right, and what is to be done with them."""
    reference = _REFERENCE + exercise.name
    (folder / f"{exercise.name}.py").write_text(exercise.judged(text) + _LIMIT, encoding="utf-8")
    (folder / f"{reference}.py").write_text(exercise.reference + _LIMIT, encoding="utf-8")
    job = Job(Attempt(exercise.name, reference, exercise.own_part(text)), tuple(exercise.checks))
    (folder / "job").write_bytes(pickle.dumps(job))


def _heard(folder: Path, tell: Callable[[str], None], deadline: float) -> Finding:
    """Start the judge, listen until it has spoken or the deadline has passed, and end whatever is left of it."""
    paths = [str(folder), str(workbook.ROOT), str(workbook.WORKBOOK), os.environ.get("PYTHONPATH", "")]
    with (folder / "errors").open("wb") as errors:
        judge = subprocess.Popen(
            [sys.executable, "-m", "helpers.exercises.form.judge", str(folder)],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )  # fmt: skip
    lines: Queue[bytes] = Queue()
    listen = (judge, last_word(folder), lines)
    threading.Thread(target=_listen, args=listen, name="judge", daemon=True).start()
    over = threading.Timer(deadline, _end, [judge])
    over.start()
    try:
        while line := lines.get():
            tell(line.decode(errors="replace").strip())
        # it has said its last word, or closed its line, and is about to end
        judge.wait()
    finally:
        over.cancel()
        _end(judge)
        judge.wait()
    return _found(folder, deadline)


def _listen(judge: subprocess.Popen, last: str, lines: "Queue[bytes]") -> None:
    """Pass on each line of the judge, and an empty one at its end; a thread, so that an interrupt is heard at once."""
    assert judge.stdout is not None
    with judge.stdout as said:
        for line in takewhile(lambda line: line.strip() != last.encode(), said):
            lines.put(line)
    judge.wait()
    lines.put(b"")


def _end(judge: subprocess.Popen) -> None:
    """End the judge and its group; what runs under control ends with it by itself."""
    if os.name == "nt":
        if judge.poll() is None:
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(judge.pid)], capture_output=True, check=False)
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(judge.pid, signal.SIGKILL)


def _found(folder: Path, deadline: float) -> Finding:
    """Return what the judge wrote, or why it wrote nothing."""
    with suppress(OSError):
        return pickle.loads((folder / "finding").read_bytes())
    said = (folder / "errors").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if said:
        return Finding(Kind.CRASHED, f"Your program ended the check: {said[-1]}", "\n".join(said[-12:]))
    return Finding(Kind.HANGS, f"The check has not come to its end within {deadline:g} s, and was stopped.")

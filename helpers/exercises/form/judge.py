"""The process that judges: it carries out the checks, one after the other, until one finds something.

    python -m helpers.exercises.form.judge FOLDER

In the folder lie the job and the learner's module; what was found is written beside them. A line on standard output
says which check is next, the last one that the finding is there. Nothing of this process outlives its group, which
whoever started it ends.
"""

import os
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path

from helpers.exercises.form.checks import Attempt, Check
from helpers.exercises.form.finding import Finding, Kind
from helpers.exercises.form.limit import be_the_judge

__tracebackhide__ = True  # an instrument: never the place where somebody waits


@dataclass(frozen=True)
class Job:
    """What is to be judged."""

    attempt: Attempt
    checks: tuple[Check, ...]


def judge(job: Job) -> Finding:
    """Carry out the checks in their order; the first that finds something decides."""
    for number, check in enumerate(job.checks, 1):
        print(f"check {number} of {len(job.checks)}", file=sys.stdout, flush=True)
        if finding := check.judge(job.attempt):
            return finding
    return Finding(Kind.RIGHT, "", job.attempt.story, job.attempt.trace)


def last_word(folder: Path) -> str:
    """Return the line that says that the finding is there; what the program has left may still hold the pipe."""
    return f"judged in {folder.name}"


def main(folder: Path) -> None:
    """Judge the job in a folder."""
    be_the_judge()
    job = pickle.loads((folder / "job").read_bytes())
    finding = judge(job)
    part = folder / "part"
    part.write_bytes(pickle.dumps(finding))
    part.replace(folder / "finding")
    print(last_word(folder), flush=True)
    # whatever the program has left running is ended with this group, and not waited for
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""The class at a glance: learners who write files, into one or each into her own, and what a teacher reads in them."""

import os
import random
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from helpers import progress, validate
from helpers.cards import Card
from helpers.classroom.lines import Line, head
from helpers.classroom.reading import Classroom, read_class
from helpers.contexts import Context
from helpers.questions import Question
from helpers.supervision.supervisor import supervised

MOST_LEARNERS = 40
ANSWERS = ("9:59", "10:00", "10:59", "an error")  # to the question of lesson 12 on the clock


def copy_and_add(path: str, name: str, all_have_read: Barrier) -> None:
    """Wrong: read the file of the class, and write it anew with a line more."""
    seen = Path(path).read_text()
    all_have_read.wait()
    Path(path).write_text(f"{seen}{name}\n")


def append(path: str, lines: int, start: Barrier) -> None:
    """Append so many lines to a file that nobody else writes."""
    start.wait()
    for number in range(lines):
        with Path(path).open("a") as file:
            file.write(f"line {number}\n")


def take_part(folder: str, nickname: str, key: str, start: Barrier) -> None:
    """Answer a question, think again after the discussion, try an exercise; a line for each, in a file of one's own."""
    chance = random.Random(key)
    first = chance.choice(ANSWERS[:2])
    last = chance.choice((first, "10:59", "10:59"))
    solved = chance.random() < 0.4
    mistake = "You hold the lock while you write, but not while you read."
    tried = ("right", "") if solved else ("wrong", mistake)
    start.wait()
    with (Path(folder) / f"{nickname}-{key}.jsonl").open("a", encoding="utf-8") as file:
        print(head(nickname, key), file=file, flush=True)
        print(did("answer", "torn", first), file=file, flush=True)
        print(did("answer", "torn", last), file=file, flush=True)
        print(did("exercise", "till", *tried), file=file, flush=True)


def did(kind: str, name: str, answer: str, mistake: str = "") -> Line:
    """Return what a learner did in lesson 12, as a line; raises TypeError or ValueError as `Line` does."""
    right = answer == "right"
    return Line(kind=kind, lesson="shared_memory", name=name, answer=answer, right=right, mistake=mistake,
                when=progress.now())  # fmt: skip


def stop_in_the_middle(folder: str, nickname: str, key: str, start: Barrier) -> None:
    """Write two answers and the half of a third line, and end as if the power were cut."""
    start.wait()
    line = did("answer", "torn", "9:59")
    with (Path(folder) / f"{nickname}-{key}.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{head(nickname, key)}\n{line}\n{line}\n{str(line)[:30]}")
        file.flush()
        os._exit(1)


def in_own_files(ctx: Context, learners: int, lines: int) -> int:
    """Let so many learners append so many lines each to files of their own, at once; return how many are there.

    Raises TypeError or ValueError for learners not from 1 to 40, or lines not from 1 to 10,000.
    """
    validate.context(ctx)
    validate.whole_number("learners", learners, 1, MOST_LEARNERS)
    validate.whole_number("lines", lines, 1, 10_000)
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"learner {number}" for number in range(learners)]
        with supervised(deadline=60 + learners):
            start = ctx.Barrier(learners)
            children = [ctx.Process(target=append, args=(str(path), lines, start)) for path in paths]
            for child in children:
                child.start()
            for child in children:
                child.join()
        return sum(len(path.read_text().splitlines()) for path in paths)


def hold_class(ctx: Context, folder: str, learners: int) -> None:
    """Let so many learners take part, each a process with a file of its own in the folder.

    Raises TypeError or ValueError for what is no path, or learners not from 1 to 40.
    """
    validate.context(ctx)
    validate.path("folder", folder)
    validate.whole_number("learners", learners, 1, MOST_LEARNERS)
    if not Path(folder).is_dir():
        validate.refuse(ValueError, "folder", "a folder that is there", folder)
    with supervised(deadline=60 + learners):
        start = ctx.Barrier(learners)
        children = [
            ctx.Process(target=take_part, args=(folder, f"Learner {number}", f"{number:08x}", start))
            for number in range(learners)
        ]
        for child in children:
            child.start()
        for child in children:
            child.join()


def seconds_to_read(files: int, lines: int) -> float:
    """Return how long it takes to read so many files of so many lines each, in seconds.

    Raises TypeError or ValueError for files not from 1 to 1,000, or lines not from 1 to 10,000.
    """
    validate.whole_number("files", files, 1, 1_000)
    validate.whole_number("lines", lines, 1, 10_000)
    line = f"{did('answer', 'torn', '9:59')}\n"
    with TemporaryDirectory() as folder:
        for number in range(files):
            text = f"{head('Ada', f'{number:08x}')}\n{line * lines}"
            (Path(folder) / f"{number}.jsonl").write_text(text, encoding="utf-8")
        begin = time.perf_counter()
        read_class(folder)
        return time.perf_counter() - begin


def play(files: int, lines: int) -> tuple[dict[str, Any], str]:
    """Read a class of so many files with so many lines each, and half of it; the panel of the lesson.

    Return what `bars` draws, and in words how long a file took. Raises as `seconds_to_read` does, and for one file.
    """
    validate.whole_number("files", files, 2, 1_000)
    half, whole = seconds_to_read(files // 2, lines), seconds_to_read(files, lines)
    seconds = {f"{files // 2} files": half, f"{files} files": whole}
    return {"seconds": seconds, "what": "time to read"}, f"A file took {1000 * whole / files:.2f} ms."


def _lines_left(seen: Any) -> str:
    return str(seen)


def _what_is_seen(classroom: Classroom) -> str:
    if classroom.problems:
        return "complaint"
    return "whole" if len(classroom.people[0].lines) == 2 else "nothing"


QUESTIONS = {
    "one_file": Question(
        "Five learners share one file. Each reads it, waits until all have read, and writes it anew with her own line. "
        "How many lines are in it?",
        {
            "1": "All read an empty file. Each wrote what she had read and her own line, over what was there.",
            "5": "Each read what all before her had written.",
        },
        {"5": "5", "1": "1", "0": "0"},
        judge=_lines_left,
    ),
    "power_cut": Question(
        "A learner's machine stops in the middle of her third line. What does the teacher see of her?",
        {
            "whole": "Two lines have an end, and are read. What has no end yet is left for the next look.",
            "complaint": "A line that has an end could not be read.",
            "nothing": "None of her lines had come to the file.",
        },
        {
            "nothing": "nothing: her file is damaged",
            "whole": "her first two lines, and no complaint",
            "complaint": "her first two lines, and a complaint",
        },
        judge=_what_is_seen,
    ),
}
CARD = Card(
    "A file each, and one who reads them all",
    {"Ada": (0, 0), "Bob": (0, 1), "teacher": (3.2, 0.5)},
    {"Ada's file": (1.6, 0), "Bob's file": (1.6, 1)},
    [("Ada", "Ada's file", "appends"), ("Bob", "Bob's file", "appends"),
     ("Ada's file", "teacher", "reads"), ("Bob's file", "teacher", "reads")],
    """\
learners, lines = 5, 20
due = learners * lines
found = in_own_files(ctx, learners, lines)
print("lines written:", due)
print("lines there:", found)""",
    "lines written: 100\nlines there: 100",
    [
        "Whoever reads a file and writes it anew loses what came in between.",
        "A last line without an end is still being written.",
        "What others wrote is data. Never run it, and never unpickle it.",
    ],
    imports="from helpers.lessons.classroom import in_own_files",
)  # fmt: skip

"""What a learner has predicted and solved, kept as lines of JSON in her workbook. Nothing leaves the machine."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from helpers import validate, workbook

FILE = "progress.jsonl"
KINDS = ("answer", "prediction", "exercise", "review")


@dataclass(frozen=True)
class Entry:
    """An answer to a question, the same when its verdict is told, one in a review, or a check of an exercise."""

    lesson: str  # such as "shared_memory"; empty for an exercise of nobody's lesson
    kind: str  # one of KINDS
    name: str  # the key of the question, or the name of the exercise
    answer: str  # the key of the answer or a number, or the kind of the verdict
    right: bool  # False of an answer, until its verdict is told
    when: str  # ISO 8601, in UTC
    happened: str = ""  # the key or the number that this machine came to, by which a review judges


@dataclass(frozen=True)
class Progress:
    """All entries in their order, and how many lines could not be read."""

    entries: tuple[Entry, ...]
    damaged: int

    def predictions(self, lesson: str) -> dict[str, bool]:
        """Return for each question of a lesson whether the first try was right."""
        asked: dict[str, bool] = {}
        for entry in self.entries:
            if (entry.lesson, entry.kind) == (lesson, "prediction"):
                asked.setdefault(entry.name, entry.right)
        return asked

    def last_answer(self, lesson: str, name: str) -> tuple[str, bool] | None:
        """Return the last answer to a question, and whether its verdict has been told; None where there is none."""
        about = [entry for entry in self.entries if (entry.lesson, entry.name) == (lesson, name)]
        given = [entry.answer for entry in about if entry.kind in ("answer", "prediction")]
        told = [entry.answer for entry in about if entry.kind == "prediction"]
        return (given[-1], given[-1:] == told[-1:]) if given else None

    def exercises(self) -> dict[str, bool]:
        """Return for each exercise that was tried whether it was solved at any time."""
        tried: dict[str, bool] = {}
        for entry in self.entries:
            if entry.kind == "exercise":
                tried[entry.name] = tried.get(entry.name, False) or entry.right
        return tried


def note(lesson: str, kind: str, name: str, answer: str, right: bool, happened: str = "") -> None:
    """Add a line, unless it says what the last one about this says; each answer in a review counts.

    Raises TypeError or ValueError for a kind that is none of KINDS, and for what is not text; OSError where the
    workbook cannot be written.
    """
    validate.text("lesson", lesson, may_be_empty=True)
    validate.one_of("kind", kind, KINDS)
    validate.text("name", name)
    validate.text("answer", answer)
    validate.flag("right", right)
    validate.text("happened", happened, may_be_empty=True)
    before = [entry for entry in read().entries if (entry.lesson, entry.kind, entry.name) == (lesson, kind, name)]
    if kind != "review" and before and (before[-1].answer, before[-1].right) == (answer, right):
        return
    entry = Entry(lesson, kind, name, answer, right, now(), happened)
    workbook.append(FILE, json.dumps(asdict(entry), ensure_ascii=False))


def now() -> str:
    """Return the time, as an entry has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read() -> Progress:
    """Return what was noted; a damaged line is skipped and counted."""
    try:
        lines = (workbook.WORKBOOK / FILE).read_bytes().splitlines()
    except OSError:
        lines = []
    entries = [_entry(line) for line in lines if line.strip()]
    good = tuple(entry for entry in entries if entry)
    return Progress(good, len(entries) - len(good))


def start_over() -> str:
    """Begin with nothing noted, keep what there was under another name, and return a sentence that says so."""
    kept = workbook.keep(FILE)
    if kept is None:
        return "Nothing has been noted yet."
    (workbook.WORKBOOK / FILE).unlink()
    return f"You start over; what was noted is kept: {kept}."


def _entry(line: bytes) -> Entry | None:
    try:
        entry = Entry(**json.loads(line))
    except (ValueError, TypeError):
        return None
    texts = (entry.lesson, entry.kind, entry.name, entry.answer, entry.when, entry.happened)
    return entry if all(isinstance(each, str) for each in texts) and isinstance(entry.right, bool) else None

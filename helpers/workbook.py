"""The learner's own files in `workbook/`: copies of the lessons without outputs, her modules, her progress.

A record in that folder holds the fingerprint of what was laid last under each name. A copy that still has it is as it
was laid, and may be replaced. Every other copy is hers; so are all of them where the record is damaged or missing.
Several may lay copies at once: each file appears whole, all would write the same, and nothing of hers is moved.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from helpers import validate
from helpers.atomic_write import write_atomically

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
# on a Hub all have one environment, in which "~" is the home of each
WORKBOOK = Path(os.environ.get("TALKING_PROCESSES_WORKBOOK") or ROOT / "workbook").expanduser().absolute()
RECORD = ".laid.json"


class Lesson(NamedTuple):
    """A lesson as it is laid."""

    name: str  # such as "10_pipe"
    content: bytes  # the notebook without outputs
    fingerprint: str

    @property
    def file(self) -> str:
        """The name of its copy."""
        return f"{self.name}.ipynb"


def lay() -> list[str]:
    """Give every lesson a working copy; return what the learner should know, a sentence each.

    A copy that she changed stays; when its lesson changes too, the lesson is laid beside it, once. A copy that she did
    not change follows its lesson. Raises FileNotFoundError where there are no lessons, ValueError for a lesson that
    cannot be read, and OSError where the copies cannot be written.
    """
    lessons = _lessons()
    with _writing():
        laid = _recorded()
        said = [f"{file} is no longer a lesson; its copy was unchanged, and is gone." for file in _clear(laid, lessons)]
        for lesson in lessons:
            if (file := _lay_one(lesson, laid)) != lesson.file:
                said.append(f"{lesson.file} stays as you have it; the lesson as it is now lies beside it: {file}")
        _record(laid)
    return said + _hiding()


def fresh(lesson: str) -> str:
    """Lay one lesson as new, such as "10_pipe", keep the copy that was there, and return a sentence that says so.

    Raises what `lay` raises, and TypeError or ValueError for what is not a lesson.
    """
    lessons = {each.name: each for each in _lessons()}
    # whoever lets the shell complete the name gives a path
    name = Path(lesson).name.removesuffix(".ipynb") if isinstance(lesson, str) else lesson
    chosen = lessons[validate.one_of("lesson", name, lessons)]
    with _writing():
        kept = _keep(WORKBOOK / chosen.file)
        write_atomically(WORKBOOK / chosen.file, chosen.content)
        _record(_recorded() | {chosen.file: chosen.fingerprint})
    return f"{chosen.file} is as new" + (f"; what was there is kept: {kept.name}" if kept else "")


def first_lesson() -> Path:
    """Return the working copy with which a learner begins."""
    return WORKBOOK / _lessons()[0].file


def write(name: str, text: str) -> None:
    """Write a file of hers, so that others find the old one or the new one, and never a part.

    Raises TypeError or ValueError for what is no name of a file or no text, and OSError where it cannot be written.
    """
    path, content = _path_of(name), validate.text("text", text, may_be_empty=True).encode()
    with _writing():
        write_atomically(path, content)


def append(name: str, line: str) -> None:
    """Add a line to a file of hers, in one piece; raises what `write` raises."""
    path, content = _path_of(name), validate.text("line", line).encode()
    with _writing(), path.open("ab") as file:
        # a line that was cut short, by a full disk say, does not spoil the next
        begins = path.stat().st_size == 0 or path.read_bytes().endswith(b"\n")
        file.write((b"" if begins else b"\n") + content + b"\n")


def keep(name: str) -> str | None:
    """Copy a file of hers to a name that is free, and return that; None where there is no such file."""
    with _writing():
        kept = _keep(_path_of(name))
    return kept.name if kept else None


def _path_of(name: str) -> Path:
    validate.text("name", name)
    if Path(name).name != name:
        validate.refuse(ValueError, "name", "the name of a file, without a folder", name)
    return WORKBOOK / name


def _lessons() -> list[Lesson]:
    if lessons := [_lesson(path) for path in sorted(NOTEBOOKS.glob("*.ipynb"))]:
        return lessons
    raise FileNotFoundError(f"There are no lessons in {NOTEBOOKS}: run this in the folder of the project.")


def _lesson(path: Path) -> Lesson:
    try:
        notebook = json.loads(path.read_bytes())
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell.update(outputs=[], execution_count=None)
        content = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        return Lesson(path.stem, content.encode(), _fingerprint(notebook))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is damaged ({error!r}); get it back with: git checkout {path}") from error


def _fingerprint(notebook: dict) -> str:
    """Hash kinds and sources of the cells in their order, and nothing that comes of running them.

    Empty cells do not count: JupyterLab adds one when the last cell is run with Shift and Enter.
    """
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps([cell for cell in cells if cell[1].strip()]).encode()).hexdigest()


def _is_unchanged(copy: Path, *fingerprints: str | None) -> bool:
    """Whether a copy has one of these fingerprints; what cannot be read has none."""
    try:
        return _fingerprint(json.loads(copy.read_bytes())) in fingerprints
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def _clear(laid: dict[str, str], lessons: list[Lesson]) -> list[str]:
    """Take former lessons out of the record, remove their unchanged copies, and return the names of these."""
    former = [file for file in laid if not file.startswith(tuple(lesson.name for lesson in lessons))]
    removed = [file for file in former if _is_unchanged(WORKBOOK / file, laid.pop(file))]
    for file in removed:
        (WORKBOOK / file).unlink(missing_ok=True)
    return removed


def _lay_one(lesson: Lesson, laid: dict[str, str]) -> str:
    """Lay a lesson that has not been laid yet where nothing of hers is, note it, and return the name of the file."""
    copy = WORKBOOK / lesson.file
    if laid.get(copy.name) == lesson.fingerprint and copy.exists():
        return copy.name  # what became of it since is hers
    place = next(
        place
        for place in chain([copy], _beside(copy, "new"))
        if not place.exists() or _is_unchanged(place, laid.get(place.name), lesson.fingerprint)
    )
    if not _is_unchanged(place, lesson.fingerprint):
        write_atomically(place, lesson.content)
    laid[copy.name] = laid[place.name] = lesson.fingerprint
    return place.name


def _keep(copy: Path) -> Path | None:
    """Copy what is there to a name that nobody else takes, and return that; None where nothing is there."""
    if not copy.exists():
        return None
    kept = next(filter(_take, _beside(copy, "kept")))
    try:
        write_atomically(kept, copy.read_bytes())
    except OSError:
        kept.unlink()
        raise
    return kept


def _beside(copy: Path, word: str) -> Iterator[Path]:
    """Yield names for files beside a copy: "10_pipe (new).ipynb", "10_pipe (new 2).ipynb", and so on."""
    yield copy.with_stem(f"{copy.stem} ({word})")
    yield from (copy.with_stem(f"{copy.stem} ({word} {number})") for number in count(2))


def _take(path: Path) -> bool:
    """Create an empty file; False where there is one already."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _recorded() -> dict[str, str]:
    """Return which fingerprint was laid last under which name; nothing where the record is damaged or missing."""
    try:
        record = json.loads((WORKBOOK / RECORD).read_bytes())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _record(laid: dict[str, str]) -> None:
    if laid != _recorded():
        write_atomically(WORKBOOK / RECORD, json.dumps(laid, indent=1, sort_keys=True).encode())


@contextmanager
def _writing() -> Iterator[None]:
    """Make the folder; a disk that is full or must not be written becomes one clear error."""
    try:
        WORKBOOK.mkdir(exist_ok=True)
        yield
    except OSError as error:
        raise OSError(
            f"{WORKBOOK} cannot be written: {error.strerror or error}. Nothing of yours was touched. "
            "Make room, or make the folder writable, and try again."
        ) from error


def _hiding() -> list[str]:
    """Return a sentence for each module of hers that takes the name of one that Python or a lesson needs."""
    needed = {*sys.stdlib_module_names, "helpers"}
    hiding = sorted(path.name for path in WORKBOOK.glob("*.py") if path.stem in needed)
    return [f"{name} hides a module that Python or a lesson needs; please give yours another name." for name in hiding]

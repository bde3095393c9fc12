"""Results as files that others read. They are data: nothing in them is ever run or unpickled.

Durations are a suite of pyperf, `EXPERIMENT.json`, so that `python -m pyperf compare_to`, `hist` and `metadata` work. A
benchmark is a series, a run is a fresh pair of processes, and its values are seconds. The metadata hold the card of the
machine, and "tp_version" (of this format), "tp_experiment" and "tp_settings" (JSON).

Outcomes are JSON Lines, `EXPERIMENT.jsonl`, of version 1. The first line is the head:

    {"format": "talking-processes outcomes", "version": 1, "experiment": ..., "settings": {...}, "machine": {...},
     "cases": the number of lines that follow}

and each other line is one case: the runs of one program.

    {"case": its name, "counts": {outcome: runs, ...}, "what": "lost an update", "hits": runs that did}
"""

import io
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pyperf

from helpers import validate
from helpers.atomic_write import write_atomically
from helpers.measuring.results import Case, Outcomes, Result, Timings

VERSION = 1
PYPERF_VERSION = "1.0"  # of pyperf's files
MEASURED = Path(__file__).with_name("measured")  # sets that come with the lessons
FORMAT = "talking-processes outcomes"
LARGEST = 50_000_000  # bytes
MOST_LINES = 10_000
LONGEST = 200  # characters of an error that is told on
OURS = {"tp_version", "tp_experiment", "tp_settings", "name", "unit"}
ENDINGS = (".json", ".jsonl")

T = TypeVar("T")


class UnusableFile(Exception):
    """A file holds no result that can be read here; the message names the file, and says why."""


def write_result(result: Timings | Outcomes, folder: str | os.PathLike[str]) -> Path:
    """Write a result into a folder, which is made if need be, and return the file: the whole of it or nothing.

    Whoever reads meanwhile sees the file that was there before. Of two that write at once one wins.
    Raises TypeError or ValueError for what is no result or no folder, OSError when there is no room; then what was
    there before stays.
    """
    validate.instance("result", result, Result, "what an experiment returns")
    ending, text = (".json", _as_suite(result)) if isinstance(result, Timings) else (".jsonl", _as_lines(result))
    path = Path(validate.path("folder", folder)) / f"{result.experiment}{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())
    return path


def read_result(path: str | os.PathLike[str]) -> Timings | Outcomes:
    """Return the result that a file holds.

    Raises UnusableFile for one that cannot be read, is damaged, holds something else, or was written by a newer
    version; TypeError or ValueError for what is no path.
    """
    file = Path(validate.path("path", path))
    try:
        if file.stat().st_size > LARGEST:
            raise UnusableFile(f"{file} is too large to be a result: it has more than {LARGEST:,} bytes")
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UnusableFile(f"{file} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UnusableFile(f"{file} is damaged: it is no text in UTF-8") from None
    return _from_lines(file, text) if file.suffix == ".jsonl" else _from_suite(file, text)


def read_results(folder: str | os.PathLike[str]) -> dict[str, Result]:
    """Return all results in a folder, by the name of the experiment.

    Raises UnusableFile for a folder without any, or with a file of results that cannot be read.
    """
    place = Path(validate.path("folder", folder))
    results = [read_result(path) for path in _results_in(place)]
    if not results:
        raise UnusableFile(f"{place} holds no results; python -m helpers.experiments run --out {place} puts some there")
    return {result.experiment: result for result in results}


def read_sets(folders: Sequence[str | os.PathLike[str]] = (MEASURED,)) -> dict[str, dict[str, Result]]:
    """Return sets of results by their names: a folder with results is a set, else each folder in it that has some.

    Without folders these are the sets that come with the lessons. A set is called as its folder, or by the whole path
    where several are called so.
    Raises UnusableFile as `read_results` does, TypeError or ValueError for what is no list of paths.
    """
    places: list[Path] = []
    for number, folder in enumerate(validate.sequence("folders", folders, "folders with results, one or more")):
        place = Path(validate.path(f"folders[{number}]", folder))
        inner = [] if _results_in(place) else [each for each in sorted(place.glob("*/")) if _results_in(each)]
        places += inner or [place]
    names = Counter(place.resolve().name for place in places)
    return {
        place.resolve().name if names[place.resolve().name] == 1 else str(place): read_results(place)
        for place in places
    }


def _results_in(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.json*")) if path.suffix in ENDINGS]


# -- durations ---------------------------------------------------------------------------------------------------------


def _as_suite(result: Timings) -> str:
    head = {
        **result.machine,
        "tp_version": VERSION,
        "tp_experiment": result.experiment,
        "tp_settings": json.dumps(result.settings),
        "unit": "second",
    }
    benchmarks = [
        pyperf.Benchmark([pyperf.Run(row, metadata={**head, "name": name}, collect_metadata=False) for row in rows])
        for name, rows in result.series.items()
    ]
    text = io.StringIO()
    pyperf.BenchmarkSuite(benchmarks).dump(text)
    return text.getvalue()


def _from_suite(file: Path, text: str) -> Timings:
    data = _parsed(file, text)
    if "version" not in data or "benchmarks" not in data:
        raise UnusableFile(f"{file} holds something else: it is no file of pyperf")
    if data["version"] != PYPERF_VERSION:
        version = validate.shown(data["version"])
        raise UnusableFile(f"{file} is a file of pyperf of version {version}; here {PYPERF_VERSION} can be read")
    suite = _or_damaged(file, lambda: pyperf.BenchmarkSuite.loads(text))
    head = suite.get_metadata() if len(suite) > 1 else suite.get_benchmarks()[0].get_metadata()
    if "tp_version" not in head:
        raise UnusableFile(f"{file} holds something else: a file of pyperf, but from no experiment of these lessons")
    _check_version(file, head["tp_version"])

    def timings() -> Timings:
        series = {each.get_name(): tuple(run.values for run in each.get_runs()) for each in suite}
        machine = {name: fact for name, fact in head.items() if name not in OURS}
        return Timings(head["tp_experiment"], json.loads(head["tp_settings"]), machine, series)

    return _or_damaged(file, timings)


# -- outcomes ----------------------------------------------------------------------------------------------------------


def _as_lines(result: Outcomes) -> str:
    head = {
        "format": FORMAT,
        "version": VERSION,
        "experiment": result.experiment,
        "settings": result.settings,
        "machine": result.machine,
        "cases": len(result.cases),
    }
    cases = [
        {"case": name, "counts": case.counts, "what": case.what, "hits": case.hits}
        for name, case in result.cases.items()
    ]
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in [head, *cases])


def _from_lines(file: Path, text: str) -> Outcomes:
    lines = text.splitlines()[:MOST_LINES]
    head = _parsed(file, lines[0] if lines else "")
    if head.get("format") != FORMAT:
        raise UnusableFile(f"{file} holds something else: its first line does not say that it is {FORMAT}")
    _check_version(file, head.get("version"))
    due, there = head.get("cases"), len(lines) - 1
    if due != there:
        raise UnusableFile(f"{file} is damaged: {there} of {validate.shown(due)} cases are there")
    cases = [_parsed(file, line) for line in lines[1:]]

    def outcomes() -> Outcomes:
        read_cases = {case["case"]: Case(case["counts"], case["what"], case["hits"]) for case in cases}
        return Outcomes(head["experiment"], head["settings"], head["machine"], read_cases)

    return _or_damaged(file, outcomes)


def _parsed(file: Path, text: str) -> dict[str, Any]:
    data = _or_damaged(file, lambda: json.loads(text))
    if not isinstance(data, dict):
        raise UnusableFile(f"{file} holds something else: there is a {type(data).__name__} where a dict should be")
    return data


def _check_version(file: Path, version: object) -> None:
    if isinstance(version, int) and version > VERSION:
        raise UnusableFile(f"{file} was written by a newer Talking Processes, in version {version} of its format; here "
                           f"version {VERSION} can be read. Update first.")  # fmt: skip
    if version != VERSION:
        raise UnusableFile(f"{file} is damaged: its format has the version {validate.shown(version)}")


def _or_damaged(file: Path, build: Callable[[], T]) -> T:
    """Return what is built from a file; whatever goes wrong with that is the file's fault."""
    try:
        return build()
    except Exception as error:
        raise UnusableFile(f"{file} is damaged: {type(error).__name__}: {str(error)[:LONGEST]}") from None

"""Record a program from the command line: its lanes, who waited for whom, and what it left behind.

    python -m helpers.recording path/to/program.py:function

Exit code 0: the program ended well. 1: it failed, or did not end within the deadline. 2: there is no such program.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from helpers.command_line import Unusable, program_at, write_page
from helpers.recording.kinds import WAITING
from helpers.recording.recorder import record
from helpers.recording.trace import Trace
from helpers.supervision.supervisor import ProcessesFailed


def main(arguments: list[str] | None = None) -> int:
    """Record what the arguments name, print what was seen, and return the exit code."""
    parser = argparse.ArgumentParser("python -m helpers.recording", description="Run a program of multiprocessing, and "
                                     "show what each process did and when.")  # fmt: skip
    parser.add_argument("program", help="path/to/program.py:function, a function without arguments")
    parser.add_argument("--deadline", type=float, default=60.0, help="seconds for the program (default 60)")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the page and the trace (default: here)")
    options = parser.parse_args(arguments)
    try:
        program = program_at(options.program)
        before, words = _left_behind(), []
        run = Trace()
        try:
            with record(options.deadline) as run:
                program()
        except ProcessesFailed as failure:
            words.append(str(failure))
    except (Unusable, TypeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    failed = bool(words)
    words += [*_waits(run), *(f"Left behind: {path}" for path in sorted(_left_behind() - before))]
    print("\n".join(words))
    for file in write_page(options.out, program.__name__, "\n".join(words), run):
        print(f"See {file}")
    return int(failed)


def _waits(run: Trace) -> list[str]:
    """Say for each process how long it waited in what."""
    waited: Counter[tuple[str, str, str]] = Counter()
    for event in run.events:
        if event.kind in WAITING:
            waited[run.processes[event.process].name, event.kind, event.channel] += event.end - event.begin
    return [f"{name} spent {time / 1e6:.1f} ms in {kind} on {channel}" for (name, kind, channel), time
            in waited.most_common()]  # fmt: skip


def _left_behind() -> set[str]:
    """Return the named semaphores and blocks of shared memory that there are now, where they can be seen (Linux)."""
    return {str(path) for path in Path("/dev/shm").glob("*")}


if __name__ == "__main__":
    sys.exit(main())

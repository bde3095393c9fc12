"""Check a program from the command line.

    python -m helpers.control path/to/program.py:function --expect 5

Exit code 0: no failure was found. 1: one was; its story is printed, and a page with its lanes and a Chrome trace are
written. 2: the program cannot be checked.
"""

import argparse
import ast
import sys
from pathlib import Path

from helpers.command_line import Unusable, program_at, write_page
from helpers.control.checking import CannotCheck, check
from helpers.control.strategies import STRATEGIES


def main(arguments: list[str] | None = None) -> int:
    """Check what the arguments name, print what was found, and return the exit code."""
    options = _options(arguments)
    holds = None if options.expect is None else lambda outcome: outcome == options.expect
    try:
        program = program_at(options.program)
        result = check(program, holds, options.runs, options.strategy, options.seed, options.grain, options.deadline)
    except (Unusable, CannotCheck, TypeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(result)
    if result.failure is None:
        return 0
    for file in write_page(options.out, f"{result.program}-{result.failure.reason}", str(result), result.failure.trace):
        print(f"See {file}")
    return 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    about = "Run a program in one schedule after another, until a run fails or there is nothing left to try."
    parser = argparse.ArgumentParser("python -m helpers.control", description=about)
    parser.add_argument("program", help="path/to/program.py:function, a function without arguments")
    parser.add_argument("--expect", type=_literal, help="the outcome that is right, as Python writes it; else any is")
    parser.add_argument("--runs", type=int, default=500, help="at most so many runs (default 500)")
    parser.add_argument("--strategy", choices=STRATEGIES, default="bounded", help="default bounded")
    parser.add_argument("--seed", type=int, default=0, help="of the strategies random and pct (default 0)")
    parser.add_argument("--grain", choices=("operation", "line"), default="operation",
                        help="line: switch between lines of the program's own modules too")  # fmt: skip
    parser.add_argument("--deadline", type=float, default=60.0, help="seconds for all runs (default 60)")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the page and the trace (default: here)")
    return parser.parse_args(arguments)


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        raise argparse.ArgumentTypeError(f"{text!r} is no Python literal, such as 5 or '(1, 2)'") from None


if __name__ == "__main__":
    sys.exit(main())

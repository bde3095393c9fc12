"""What a learner types: `python -m helpers lab`, and `python -m helpers fresh 10_pipe`."""

import os
import sys
from argparse import ArgumentParser

from helpers import workbook


def main() -> None:
    """Do what the command line says; a mistake ends in one sentence and exit code 1 or 2."""
    parser = ArgumentParser(prog="python -m helpers", description="Working copies of the lessons, in workbook/.")
    commands = parser.add_subparsers(dest="command", required=True)
    # options, --help too, are JupyterLab's
    commands.add_parser("lab", add_help=False, help="lay the copies, and open the first in JupyterLab")
    commands.add_parser("workbook", help="lay the copies, and open nothing")
    fresh = commands.add_parser("fresh", help="lay one lesson as new; the copy that was there is kept")
    fresh.add_argument("lesson", help="such as 10_pipe")
    given, options = parser.parse_known_args()
    if options and given.command != "lab":
        parser.error(f"{given.command} does not know {' '.join(options)}")
    try:
        said = [workbook.fresh(given.lesson)] if given.command == "fresh" else workbook.lay()
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    print(*said, f"Your copies are in {workbook.WORKBOOK}", sep="\n", flush=True)
    if given.command == "lab":
        _open_lab(options)


def _open_lab(options: list[str]) -> None:
    from jupyterlab.labapp import main as lab

    os.chdir(workbook.ROOT)
    first = workbook.first_lesson().relative_to(workbook.ROOT).as_posix()
    lab([f"--LabApp.default_url=/lab/tree/{first}", *options])


if __name__ == "__main__":
    main()

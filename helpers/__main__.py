"""What a learner or a teacher types: `python -m helpers lab`, `fresh 10_pipe`, `share Ada`, `class page FOLDER`."""

import os
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from helpers import workbook
from helpers.classroom import join, leave, read_class, share, status, tell
from helpers.classroom.sharing import FOLDER

REFRESH = 2.0  # s between two looks at the files of a class
PAGE = "class.html"


def main() -> None:
    """Do what the command line says; a mistake ends in one sentence and exit code 1 or 2."""
    parser = ArgumentParser(prog="python -m helpers", description="Your copies of the lessons, and your class.")
    commands = parser.add_subparsers(dest="command", required=True)
    # options, --help too, are JupyterLab's
    commands.add_parser("lab", add_help=False, help="lay the copies, and open the first in JupyterLab")
    commands.add_parser("workbook", help="lay the copies, and open nothing")
    fresh = commands.add_parser("fresh", help="lay one lesson as new; the copy that was there is kept")
    fresh.add_argument("lesson", help="such as 10_pipe")
    sharing = commands.add_parser("share", help="write one file to send, with what you have predicted and solved")
    sharing.add_argument("nickname", nargs="?", default="", help="who you are in the class; once is enough")
    _add_class(commands.add_parser("class", help="share answers with a class, see what is shared, take it back"))
    given, options = parser.parse_known_args()
    if options and given.command != "lab":
        parser.error(f"{given.command} does not know {' '.join(options)}")
    try:
        said = _said(given)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    print(*said, sep="\n", flush=True)
    if given.command == "lab":
        _open_lab(options)


def _add_class(parser: ArgumentParser) -> None:
    wishes = parser.add_subparsers(dest="wish", required=True)
    joining = wishes.add_parser("join", help=f"share from now on; {FOLDER} names the folder that all may write")
    joining.add_argument("nickname")
    joining.add_argument("--measurements", action="store_true", help="share what your machine measures, too")
    wishes.add_parser("leave", help="take back all that was shared")
    wishes.add_parser("status", help="show every line that is shared")
    measured = wishes.add_parser("measured", help="share results of python -m helpers.experiments")
    measured.add_argument("results", help="the folder with the results")
    page = wishes.add_parser("page", help="for the teacher: a page that shows the class, and follows it")
    page.add_argument(
        "folder", nargs="?", default=os.environ.get(FOLDER), help=f"where the files are; {FOLDER} if none"
    )
    page.add_argument("--once", action="store_true", help="write the page once, and do not follow")


def _said(given: Namespace) -> list[str]:
    """Do what was asked for, and return what is to be said."""
    match given.command:
        case "fresh":
            said = [workbook.fresh(given.lesson)]
        case "share":
            return [f"Send this file: {share(given.nickname)}", status()]
        case "class":
            return _class_said(given)
        case _:
            said = workbook.lay()
    return [*said, f"Your copies are in {workbook.WORKBOOK}"]


def _class_said(given: Namespace) -> list[str]:
    match given.wish:
        case "join":
            return [join(given.nickname, given.measurements)]
        case "leave":
            return [leave()]
        case "measured":
            return [*_tell_results(given.results), status()]
        case "page":
            return _show_class(given.folder, given.once)
    return [status()]


def _tell_results(folder: str) -> list[str]:
    """Share results, a line each: the median of a series, the share of a case; return what was read."""
    from statistics import median

    from helpers.experiments import UnusableFile, read_results
    from helpers.measuring.results import Timings

    try:
        results = read_results(folder)
    except UnusableFile as error:
        raise ValueError(str(error)) from error
    for name, result in results.items():
        if isinstance(result, Timings):
            for series, rows in result.series.items():
                tell("duration", name, series, value=median(value for row in rows for value in row))
        else:
            for case, found in result.cases.items():
                tell("share", name, f"{case}, {found.what}", count=found.share.count, runs=found.share.runs)
    return [f"Read: {', '.join(results)}. They are shared if you joined with --measurements."]


def _show_class(folder: str | None, once: bool) -> list[str]:
    """Write the page of a class again and again, until Ctrl-C."""
    from helpers.show.class_page import at_a_glance

    if not folder:
        raise ValueError(f"Name the folder with the files of the class, or set {FOLDER}.")
    page = Path(workbook.WORKBOOK) / PAGE
    glance = at_a_glance(read_class(folder))
    workbook.write(PAGE, glance.page(REFRESH))
    told = [str(glance), *glance.classroom.problems, f"Open {page.as_uri()}"]
    if once:
        return told
    print(*told, "It follows the class until you press Ctrl-C.", sep="\n", flush=True)
    try:
        while True:
            time.sleep(REFRESH)
            workbook.write(PAGE, at_a_glance(read_class(folder)).page(REFRESH))
    except KeyboardInterrupt:
        return [f"The page stays as it is: {page}"]


def _open_lab(options: list[str]) -> None:
    from jupyterlab.labapp import main as lab

    root = workbook.ROOT if workbook.WORKBOOK.is_relative_to(workbook.ROOT) else workbook.WORKBOOK
    os.chdir(root)
    first = workbook.first_lesson().relative_to(root).as_posix()
    lab([f"--LabApp.default_url=/lab/tree/{first}", *options])


if __name__ == "__main__":
    main()

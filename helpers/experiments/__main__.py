"""Experiments of the lessons from the command line.

    python -m helpers.experiments list
    python -m helpers.experiments run [NAME ...] [-p method=fork] [--out results] [--dask tcp://scheduler:8786]
    python -m helpers.experiments compare FOLDER FOLDER ... [--margin 1.2]

Each result is a file of its own in the folder; what is there already, in the same settings, is not measured again. So a
session that was killed goes on where it was. Exit code 0: all are there. 1: an experiment failed. 2: a name, a
parameter, a file or a cluster cannot be used. 130: interrupted.
"""

import argparse
import sys
import time
from pathlib import Path

from helpers.experiments import UnusableFile, plan, read_sets, run_session
from helpers.experiments.catalogue import EXPERIMENTS
from helpers.experiments.cluster import ClusterFailed, end_with_stdin, run_on_cluster
from helpers.experiments.session import Planned, Progress
from helpers.measuring import compare_results
from helpers.measuring.compare import MARGIN
from helpers.supervision import ProcessesFailed
from helpers.words import plural

GOES_ON = "What was measured before is in {}. The same command goes on there."
EVERY = 1.0  # s between two words on progress


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say, and return the exit code."""
    options = _options(arguments)
    if options.command == "list":
        print("\n\n".join(_described(name) for name in EXPERIMENTS))
        return 0
    if options.command == "compare":
        return _compare(options.folders, options.margin)
    return _run(options)


def _compare(folders: list[Path], margin: float) -> int:
    try:
        print(compare_results(read_sets(folders), margin))
    except (UnusableFile, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _run(options: argparse.Namespace) -> int:
    if options.while_stdin:
        end_with_stdin()
    try:
        planned = plan(options.names, dict(options.p))
        if options.dask:
            return _run_on_cluster(options, planned)
        for each in run_session(planned, options.out, _Meter(), options.again, options.with_names):
            how = "was there" if each.was_there else f"measured in {each.seconds:.1f} s"
            print(f"{each.path}: {how}", flush=True)
    except (UnusableFile, ClusterFailed, TypeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except (ProcessesFailed, OSError) as error:
        print(f"{error}\n{GOES_ON.format(options.out)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nInterrupted. {GOES_ON.format(options.out)}", file=sys.stderr)
        return 130
    return 0


def _run_on_cluster(options: argparse.Namespace, planned: list[Planned]) -> int:
    missing = 0
    for part in run_on_cluster(options.dask, planned, options.out, _say, options.again, options.with_names):
        missing += part.path is None
        print(part.path or f"{part.machine}, {part.experiment}: missing, {part.why}", flush=True)
    return 1 if missing else 0


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m helpers.experiments", description="Experiments of the lessons.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="say which there are, and which parameters they have")
    run = commands.add_parser("run", help="measure, and write a file for each experiment")
    run.add_argument("names", nargs="*", metavar="NAME", help="of experiments; without any, all of them")
    run.add_argument("-p", action="append", default=[], type=_pair, metavar="NAME=VALUE",
                     help="a parameter, for each experiment that has it; may be given several times")  # fmt: skip
    run.add_argument("--out", type=Path, default=Path("results"), help="folder for the files (default: results)")
    run.add_argument("--again", action="store_true", help="measure anew what is there already")
    run.add_argument("--with-names", action="store_true", help="note the name of the host, and paths, in the files too")
    run.add_argument("--dask", metavar="ADDRESS", help="of a scheduler, such as tcp://scheduler:8786: measure once on "
                     "every machine of its cluster, each into a folder of its own")  # fmt: skip
    run.add_argument("--while-stdin", action="store_true", help=argparse.SUPPRESS)
    compare = commands.add_parser("compare", help="say what differs between sets of results by more than noise")
    compare.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="with results, or with such folders; "
                         "all are compared with the first")  # fmt: skip
    compare.add_argument("--margin", type=float, default=MARGIN, metavar="TIMES", help="as long, or as short, that may "
                         f"be noise (default: {MARGIN:g}); see tests/benchmarks/compare.py")  # fmt: skip
    return parser.parse_args(arguments)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not written as NAME=VALUE, such as method=fork")
    return name, value


def _described(name: str) -> str:
    experiment = EXPERIMENTS[name]
    lines = [f"{name}: {experiment.about} About {experiment.seconds:g} s."]
    for parameter, allowed in experiment.parameters.items():
        default = allowed.default
        words = ",".join(map(str, default)) if isinstance(default, tuple) else default
        lines.append(f"    {parameter}={words}: {allowed}")
    return "\n".join(lines)


class _Meter:
    """Says on standard error how far a session has come: in place on a terminal, else a line for each experiment."""

    def __init__(self) -> None:
        self.last, self.spoken = "", 0.0

    def __call__(self, progress: Progress) -> None:
        words = f"{progress.number} of {plural(progress.experiments, 'experiment')}: {progress.experiment}, "
        words += f"{progress.share:.0%}, about {progress.left:.0f} s left"
        if sys.stderr.isatty():
            if progress.share in (0, 1) or time.monotonic() - self.spoken > EVERY:
                self.spoken = time.monotonic()
                end = "\n" if progress.share == 1 else ""
                print(f"\r\033[K{words}", end=end, file=sys.stderr, flush=True)
        elif progress.experiment != self.last:
            self.last = progress.experiment
            print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Interrupt and kill kernels in blocks of every kind, and count what must never follow.

    make campaign ARGS="--interrupts 1000 --kills 300 --seed 7"

Every kind of block has a kernel of its own. It is interrupted at moments drawn by chance, and just before lines of the
instruments, and of what they call, drawn by chance, or all of them when that many are asked for. Fresh kernels are
interrupted in their first block, killed, each second time with their process group, and shut down in order. The table
has a row for each kind of block, and says in how many events something was found; the exit code is 1 when that is any.
"""

import argparse
import itertools
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator

from tests.campaign.blocks import BLOCKS, FIRST_CELLS
from tests.campaign.events import COLUMNS, Findings, Subject
from tests.campaign.witness import Line, is_instrument

Table = dict[str, dict[str, Counter[str]]]  # what was done -> kind of block -> how many events had what
Attempt = tuple[str, str, Findings | None]  # what was done, when or where, and what was found, as `Subject` says


def main() -> int:
    """Run the campaign that the command line asks for; return its exit code."""
    options = _options()
    table: Table = {}
    details: list[str] = []
    try:
        _run(options, table, details)
    finally:
        # also when somebody has had enough
        print(_words(table))
        for line in details:
            print(line if options.whole else line[:300].replace("\n", " "))
    return 1 if details else 0


def _run(options: argparse.Namespace, table: Table, details: list[str]) -> None:
    """Fill the table, and the details of what is found."""
    kinds = [kind for kind in BLOCKS if options.only in kind]
    totals = options.interrupts, options.lines, options.below, options.firsts, options.kills, options.ends
    began = time.monotonic()
    events = 0
    for number, kind in enumerate(kinds):
        shares = [_share(total, number, len(kinds)) for total in totals]
        for what, when, found in _events(kind, random.Random(f"{options.seed} {kind}"), *shares):
            table.setdefault(what, {}).setdefault(kind, Counter()).update(["events", *found])
            details += [f"{kind}, {what} {when}: {column}: {text}" for column, text in found.items()]
            events += 1
            rate = events / (time.monotonic() - began)
            progress = f"{events} of {sum(totals)} events, {rate:.1f} a second, {len(details)} findings; {kind}"
            print(f"\r{progress:<78}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make campaign", description=__doc__.splitlines()[0])
    parser.add_argument("--interrupts", type=int, default=150, help="at moments drawn by chance (%(default)s)")
    parser.add_argument("--lines", type=int, default=150, help="at lines of the instruments (%(default)s)")
    parser.add_argument("--below", type=int, default=150, help="at lines of what instruments call (%(default)s)")
    parser.add_argument("--firsts", type=int, default=15, help="in the first block of a kernel (%(default)s)")
    parser.add_argument("--kills", type=int, default=30, help="each second one of the process group (%(default)s)")
    parser.add_argument("--ends", type=int, default=10, help="of kernels, in order (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed draws the same moments (%(default)s)")
    parser.add_argument("--only", default="", help="kinds of block that have this in their name")
    parser.add_argument("--whole", action="store_true", help="print findings whole, with tracebacks")
    return parser.parse_args()


def _share(total: int, number: int, of: int) -> int:
    return total * (number + 1) // of - total * number // of


def _events(kind: str, chance: random.Random, *counts: int) -> Iterator[tuple[str, str, Findings]]:
    """Do so many of each thing to one kind of block; yield what was done, when or where, and what was found."""
    subject = Subject(f"BLOCKS[{kind!r}]", first_cell=FIRST_CELLS.get(kind, ""))
    try:
        lines = subject.lines()
        instruments = [line for line in lines if is_instrument(line)]
        below = [line for line in lines if not is_instrument(line)]
        attempts = (
            _interrupts(subject, chance),
            _lines("interrupted at a line", subject, chance.sample(instruments, len(instruments))),
            _lines("interrupted below a line", subject, chance.sample(below, len(below))),
            _firsts(subject, chance),
            _kills(subject, chance),
            _ends(subject),
        )
        for attempts_of_a_kind, count in zip(attempts, counts, strict=True):
            # what came too late is no event
            events = (attempt for attempt in attempts_of_a_kind if attempt[-1] is not None)
            yield from itertools.islice(events, count)
    finally:
        subject.close()


def _interrupts(subject: Subject, chance: random.Random) -> Iterator[Attempt]:
    while True:
        moment = chance.uniform(0, subject.seconds)
        yield "interrupted at any moment", f"after {moment:.4f} s", subject.interrupt_after(moment)


def _lines(what: str, subject: Subject, lines: list[Line]) -> Iterator[Attempt]:
    for line in lines:
        yield what, "at {}:{}".format(*line), subject.interrupt_at(line)


def _firsts(subject: Subject, chance: random.Random) -> Iterator[Attempt]:
    while True:
        moment = chance.uniform(0, subject.first_seconds)
        yield "interrupted in its first", f"after {moment:.4f} s", subject.interrupt_first_after(moment)


def _kills(subject: Subject, chance: random.Random) -> Iterator[Attempt]:
    ways = ["killed", "killed with its group"] if hasattr(os, "killpg") else ["killed"]
    for way in itertools.cycle(ways):
        moment = chance.uniform(0, subject.seconds)
        yield way, f"after {moment:.4f} s", subject.kill_after(moment, group=way != "killed")


def _ends(subject: Subject) -> Iterator[Attempt]:
    while True:
        yield "shut down in order", "", subject.end()


def _words(table: Table) -> str:
    """Return the table as text, with the sums of each thing done."""
    names = ["events", *COLUMNS]
    lines = []
    for what, kinds in table.items():
        lines.append(f"{what:<28}" + "".join(f"{name:>12}" for name in names))
        for kind, counts in [*kinds.items(), ("sum", sum(kinds.values(), Counter()))]:
            lines.append(f"  {kind:<26}" + "".join(f"{counts[name]:>12}" for name in names))
        lines.append("")
    return "\n".join(lines + [f"{name}: {meaning}" for name, meaning in COLUMNS.items()])


if __name__ == "__main__":
    sys.exit(main())

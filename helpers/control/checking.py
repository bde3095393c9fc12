"""Check any program of multiprocessing, as it is, in one schedule after another.

def program():
    ...                                       # starts processes, joins them
    return counter.value

result = check(program, holds=lambda value: value == 5)
print(result.failure.story)
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from helpers import validate
from helpers.control import stories
from helpers.control.process_tree import ProcessTree
from helpers.control.run import CannotCheck, Execution, OutOfTime, Run
from helpers.control.states import Choice, Knowledge, choices_of, names_of
from helpers.control.strategies import MOST_PREEMPTIONS, STRATEGIES, Choose, Search, by_chance, by_priority, following
from helpers.recording.trace import Trace

__tracebackhide__ = True  # an instrument: never the place where somebody waits

__all__ = ["CannotCheck", "Failure", "Result", "check", "rerun"]

MOST_RUNS = 1_000_000
MOST_STEPS = 20_000  # of one run, before it counts as a livelock, unless the caller says otherwise
LONGEST_DEADLINE = 3600.0  # seconds
_PROOFS = 3  # more runs of a schedule that have to end alike, before it is believed that it decides

_log = logging.getLogger("helpers.control")
_log.setLevel(logging.INFO)

Holds = Callable[[Any], bool]


@dataclass(frozen=True, eq=False)
class Failure:
    """A run that went wrong, and the schedule that makes it go wrong again."""

    reason: str  # "outcome", "deadlock", "crash" or "livelock"
    outcome: Hashable  # what the program returned; None if it did not come to that
    schedule: tuple[str, ...]  # whose turn it was, step by step, for `rerun`
    execution: Execution = field(repr=False)

    @property
    def preemptions(self) -> int:
        """How often the turn was taken from somebody who could go on."""
        return self.execution.preemptions

    @cached_property
    def story(self) -> str:
        """The run step by step, then what went wrong, in words."""
        return stories.story(self.execution, self.reason, self.outcome)

    @cached_property
    def conflict(self) -> str:
        """What went wrong, in one sentence."""
        return stories.conflict(self.execution, self.reason, self.outcome)

    @cached_property
    def trace(self) -> Trace:
        """The run as a recording whose time is steps (1 ms each), for `lanes`."""
        return stories.trace(self.execution)

    def __str__(self) -> str:
        return self.story


@dataclass(frozen=True, eq=False)
class Result:
    """What the runs of a check came to; true when none failed."""

    program: str
    runs: int
    outcomes: dict[Hashable, int]  # how many runs ended with each outcome, most first
    exhausted: int | None  # every schedule with so many preemptions was tried; None when not even those with none
    failure: Failure | None
    strategy: str
    grain: str
    states: int  # different states that were reached; 0 where they are not told apart
    seconds: float

    def __bool__(self) -> bool:
        if self.failure:
            # pytest cuts long values short, but shows what a failed test has logged; elsewhere nobody listens
            _log.info(self.words)
        return self.failure is None

    def __repr__(self) -> str:
        return self.words

    @cached_property
    def words(self) -> str:
        """What was found, what that proves, and what not."""
        return stories.verdict(self)


def check(
    program: Callable[[], Hashable],
    holds: Holds | None = None,
    runs: int = 500,
    strategy: str = "bounded",
    seed: int = 0,
    grain: str = "operation",
    deadline: float = 60.0,
    steps: int = MOST_STEPS,
    trusts_first: bool = False,
) -> Result:
    """Run a program in one schedule after another, until a run fails or there is nothing left to try.

    `program` is a function without arguments that starts processes with multiprocessing and returns something
    hashable. Each run begins in a fresh process, in which its own modules are imported anew. One process runs at a
    time; each stops before every operation on an object of multiprocessing (with the grain "line": before every line
    of the program's own modules too), and the schedule says who is next. Sleeping takes no time; a timeout may run
    out whenever its call would have to wait.

    A run fails when its outcome does not hold (without `holds` every outcome does), when a process crashes (ends with
    an exit code other than 0 by itself), in a deadlock or in a livelock: when it goes on and changes nothing any more,
    or has not come to its end after so many `steps`. A failure is repeated, to see that it is the schedule that
    decides; with `trusts_first` that of the first run, in which nobody is preempted, is believed at once.

    Strategies: "bounded" tries all schedules with 0, then 1, then 2 preemptions, and leaves out those that cannot
    differ from what was seen; "all" goes on to schedules with more; "random" gives everybody the same chance at each
    step; "pct" is probabilistic concurrency testing. All end after `runs` runs, or `deadline` seconds.

    Raises TypeError and ValueError for bad arguments; CannotCheck for a program that depends on more than the
    schedule, or that cannot be run.
    """
    _validate(program, holds, grain)
    validate.whole_number("runs", runs, 1, MOST_RUNS)
    validate.one_of("strategy", strategy, STRATEGIES)
    validate.whole_number("seed", seed, 0, 2**63)
    begin = time.monotonic()
    deadline = validate.seconds("deadline", deadline, LONGEST_DEADLINE)
    validate.whole_number("steps", steps, 1, MOST_RUNS)
    validate.instance("trusts_first", trusts_first, bool, "True or False")
    with ProcessTree(program, grain) as tree:
        checker = _Checker(tree, holds or _anything, begin + deadline, most_steps=steps, trusts_first=trusts_first)
        with suppress(OutOfTime):
            if strategy in ("random", "pct"):
                checker.try_by_chance((by_chance if strategy == "random" else by_priority)(seed), runs)
                checker.shrink(runs)
            else:
                checker.try_all(runs, MOST_PREEMPTIONS if strategy == "bounded" else float("inf"))
            checker.prove()
        failure = checker.failure()
    return Result(
        tree.name, checker.runs, dict(checker.outcomes.most_common()), checker.exhausted, failure, strategy, grain,
        checker.states, time.monotonic() - begin,
    )  # fmt: skip


def rerun(
    program: Callable[[], Hashable],
    schedule: tuple[str, ...],
    holds: Holds | None = None,
    grain: str = "operation",
    deadline: float = 60.0,
    times: int = 1,
    progress: Callable[[int], object] | None = None,
    steps: int = MOST_STEPS,
) -> Result:
    """Run a program in a given schedule (as `Failure.schedule`), so many times; after its end nobody is preempted.

    There are fewer runs if `deadline` seconds are over before. `steps` is as in `check`. `progress` is called with the
    number of runs done, after each one.

    Raises as `check`; CannotCheck also for a schedule that is not possible, for runs that do not end alike, and when
    not one has ended within the deadline.
    """
    _validate(program, holds, grain)
    schedule = tuple(validate.texts("schedule", schedule, "the names of those whose turn it is"))
    begin = time.monotonic()
    deadline = validate.seconds("deadline", deadline, LONGEST_DEADLINE)
    validate.whole_number("times", times, 1, MOST_RUNS)
    validate.whole_number("steps", steps, 1, MOST_RUNS)
    if progress is not None:
        validate.function("progress", progress, "a function of the number of runs done, or None", 1)
    with ProcessTree(program, grain) as tree:
        checker = _Checker(tree, holds or _anything, begin + deadline, most_steps=steps)
        with suppress(OutOfTime):
            first = None
            while checker.runs < times:
                run = checker.perform(choices_of(schedule))
                first = first or run
                _compare(first, run)
                if progress:
                    progress(checker.runs)
        if not checker.runs:
            raise CannotCheck(f"not one run ended within the deadline of {deadline:g} s")
        failure = checker.failure()
    return Result(
        tree.name, checker.runs, dict(checker.outcomes), None, failure, "rerun", grain, 0, time.monotonic() - begin
    )


def _validate(program: Callable[[], Hashable], holds: Holds | None, grain: str) -> None:
    validate.function("program", program, "a function without arguments", 0)
    if holds is not None:
        validate.function("holds", holds, "a function of the outcome", 1)
    validate.one_of("grain", grain, ("operation", "line"))


def _anything(_: Any) -> bool:
    return True


class _Checker:
    """The runs of one check."""

    def __init__(
        self, tree: ProcessTree, holds: Holds, until: float, merges: bool = True, most_steps: int = MOST_STEPS,
        trusts_first: bool = False,
    ) -> None:  # fmt: skip
        self.tree = tree
        self.holds = holds
        self.until = until
        self.most_steps = most_steps
        self.trusts_first = trusts_first  # as in `check`
        self.runs = 0
        self.outcomes: Counter[Hashable] = Counter()
        self.exhausted: int | None = None
        self.states = 0
        self.failing: Execution | None = None
        self.first: Execution | None = None  # the run in which nobody is preempted
        self.knowledge = Knowledge()
        self.merges = merges  # states that are equal are taken for one

    def perform(self, schedule: list[Choice] | Choose, learns: bool = False, counts: bool = True) -> Execution:
        """Run the program once."""
        choose = following(schedule) if isinstance(schedule, list) else schedule
        knowledge = self.knowledge if learns else None
        execution = Run(self.tree, knowledge, self.merges, self.until, self.most_steps).perform(choose)
        if execution.reason is None and not self.holds(execution.outcome):
            execution.reason = "outcome"
        if counts:
            self.runs += 1
            if execution.pickled is not None:
                self.outcomes[execution.outcome] += 1
            if execution.reason and self.failing is None:
                self.failing = execution
        return execution

    def try_by_chance(self, strategy: Callable[[int], Choose], runs: int) -> None:
        """Try schedules that are drawn."""
        length = len(self._agree_with_itself().steps)
        while self.failing is None and self._may_go_on(runs):
            length = len(self.perform(strategy(length)).steps)

    def try_all(self, runs: int, most: float) -> None:
        """Try all schedules in order of their preemptions."""
        first = self._agree_with_itself()
        search = Search(self.knowledge, first.start, most, self.until)
        try:
            while self.failing is None and self._may_go_on(runs) and (schedule := search.next_schedule()) is not None:
                self.perform(schedule, learns=True)
        finally:
            self.exhausted = search.exhausted
            self.states = search.states if self.merges else 0

    def _agree_with_itself(self) -> Execution:
        """Run the first schedule twice: what differs then depends on more than the schedule."""
        self.knowledge = Knowledge()
        first = self.first = self.perform([], learns=True)
        if first.reason in ("livelock", "crash") or (first.reason and self.trusts_first):
            return first
        second = self.perform(first.schedule, counts=False)
        _compare(first, second)
        if [step.observed for step in first.steps] != [step.observed for step in second.steps]:
            # what is sent differs (a pid, say), though not what is done: equal states cannot be told
            self.merges, self.knowledge = False, Knowledge()
            first = self.perform(first.schedule, learns=True, counts=False)
        return first

    def _may_go_on(self, runs: int) -> bool:
        return self.runs < runs and time.monotonic() < self.until

    def shrink(self, runs: int) -> None:
        """Look for a failure of the same kind with fewer preemptions."""
        found = self.failing
        if found is None or not found.preemptions:
            return
        search = _Checker(self.tree, self.holds, self.until, most_steps=self.most_steps)
        # where time runs out meanwhile, the failure that was found still is one
        with suppress(OutOfTime):
            search.try_all(runs, found.preemptions - 1)
        if search.failing and search.failing.reason == found.reason:
            self.failing = search.failing

    def prove(self) -> None:
        """Make sure that it is the schedule which decides; raises CannotCheck if it is not."""
        found = self.failing or self.first
        if found is None or (found.reason and found is self.first and self.trusts_first):
            return
        for _ in range(1 if found.is_stuck else _PROOFS):
            if time.monotonic() < self.until:
                _compare(found, self.perform(found.schedule, counts=False))

    def failure(self) -> Failure | None:
        """Return the failure that was found, if any."""
        found = self.failing
        if found is None or found.reason is None:
            return None
        return Failure(found.reason, found.outcome, names_of(found.schedule), found)


def _compare(first: Execution, second: Execution) -> None:
    """Raise CannotCheck if two runs of one schedule were not the same."""
    for number, (one, other) in enumerate(zip(first.steps, second.steps, strict=False), start=1):
        if one.signature != other.signature:
            raise CannotCheck(
                f"the same schedule did not lead to the same steps: in step {number} {stories.in_words(one)}, "
                f"and in another run {stories.in_words(other)}. {_MORE}"
            )
    ends = [(run.reason, len(run.steps), run.outcome) for run in (first, second)]
    if ends[0] != ends[1]:
        raise CannotCheck(
            f"the same schedule came to {stories.end(first)}, and in another run to {stories.end(second)}. {_MORE}"
        )


_MORE = "The program depends on more than the schedule (a clock, random numbers, another program), so it is not judged."

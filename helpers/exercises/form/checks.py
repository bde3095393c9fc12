"""Checks of a learner's program: each says what it finds, or nothing when all is well.

They are plain data, because they are carried out in a process of their own (see `judge`). None looks at a single run
where luck could decide: orders are tried one by one, or counted.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from multiprocessing import resource_tracker
from operator import eq
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from helpers import validate
from helpers.exercises.form.finding import Finding, Kind
from helpers.exercises.form.limit import limit_this_process
from helpers.recording.trace import Trace
from helpers.words import plural

__tracebackhide__ = True  # an instrument: never the place where somebody waits

RUNS = 300  # orders of one check
STEPS = 2_000  # of one run; these programs need less than a tenth
PATIENCE = 15.0  # s for one check, on a busy machine
TOO_MANY = (
    "Nothing failed so far, but there are too many orders to try even those in which nobody is interrupted. "
    "Does it look again and again, where it could sleep until it is woken?"
)
_NO_SCHEDULE = (
    "`schedule` must be a list of names, all written out without `*` and `+`, such as `['child 1', 'child 2']`."
)
SLOWER = 2.0  # times the reference's time that is slow
_MORE_MEASUREMENTS = 4  # where something looks slow


@dataclass
class Attempt:
    """The program that is judged, and what was seen of it."""

    module: str  # the learner's, ready to be imported
    reference: str  # the module that is right
    text: str  # hers, without what is given
    trace: Trace | None = None  # of her own program
    story: str = ""


@runtime_checkable
class Check(Protocol):
    """One check; one that compares with the reference says so by `needs_reference = True`."""

    def judge(self, attempt: Attempt) -> Finding | None:
        """Return what is wrong, or None."""


@dataclass(frozen=True)
class Program:
    """A function of a module, found in whichever process calls it."""

    module: str
    name: str

    def __call__(self) -> Hashable:
        """Call it in a process of its own."""
        limit_this_process()
        outcome = self.call()
        try:
            return validate.hashable("outcome", outcome, "an outcome")
        except TypeError:
            return Unhashable(repr(outcome))

    def call(self) -> Any:
        """Call it in a process that goes on afterwards."""
        return getattr(import_module(self.module), self.name)()

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Unhashable:
    """What a program came to, where that is a list or the like, which control cannot count: it is no right outcome."""

    shown: str

    def __repr__(self) -> str:
        return self.shown


@dataclass(frozen=True)
class Always:
    """The program comes to this outcome in the plain order, and then in every other one that is tried."""

    program: str
    outcome: Hashable
    grain: str = "operation"
    otherwise: str = ""  # what another outcome means, where the outcome itself says nothing to the learner

    def __post_init__(self) -> None:
        validate.text("program", self.program)
        validate.hashable("outcome", self.outcome, "an outcome")
        validate.one_of("grain", self.grain, ("operation", "line"))
        validate.text("otherwise", self.otherwise, may_be_empty=True)

    def judge(self, attempt: Attempt) -> Finding | None:
        """Run the program in one schedule after another."""
        from helpers.control import CannotCheck, check

        program, holds = Program(attempt.module, self.program), partial(eq, self.outcome)
        try:
            # what fails without any interruption needs no search, and no proof
            tried = check(program, holds, RUNS, grain=self.grain, deadline=PATIENCE, steps=STEPS, trusts_first=True)
        except CannotCheck as error:
            return Finding(Kind.UNKNOWN, _sentence(error))
        if tried.failure is not None:
            finding = told(tried.failure, self.outcome, is_plain=tried.runs == 1)
            return replace(finding, words=self.otherwise) if self.otherwise and finding.kind is Kind.WRONG else finding
        # a program that looks again and again has no end of orders
        return Finding(Kind.UNKNOWN, TOO_MANY) if tried.exhausted is None else None


@dataclass(frozen=True)
class Breaks:
    """The learner's `schedule` makes the given program come to something else than `outcome`, or to no end."""

    program: str
    outcome: Hashable
    before: tuple[str, ...] = ()  # turns that are taken before hers
    reason: str = "outcome"  # how it has to fail, as `Failure.reason`

    def __post_init__(self) -> None:
        validate.text("program", self.program)
        validate.hashable("outcome", self.outcome, "an outcome")
        validate.texts("before", self.before, "names of those whose turn it is", least=0)
        validate.one_of("reason", self.reason, ("outcome", "deadlock", "crash", "livelock"))

    def judge(self, attempt: Attempt) -> Finding | None:
        """Run the program in the learner's order."""
        from helpers.control import CannotCheck, rerun
        from helpers.control.strategies import Diverged

        schedule = literal(attempt.text, "schedule")
        if not isinstance(schedule, list | tuple) or not all(isinstance(turn, str) for turn in schedule):
            return Finding(Kind.WRONG, _NO_SCHEDULE)
        program, turns = Program(attempt.module, self.program), (*self.before, *schedule)
        try:
            result = rerun(program, turns, partial(eq, self.outcome), deadline=PATIENCE, steps=STEPS)
        except Diverged as error:
            # counted as she counts, from the first of her own
            step = error.step + 1 - len(self.before)
            why = f"it waits {error.where}" if error.where else "nobody of that name is there yet, or any more"
            return Finding(Kind.WRONG, f"This order is not possible: its step {step} is for `{error.name}`, but {why}.")
        except CannotCheck as error:
            return Finding(Kind.WRONG, f"This order is not possible: {_sentence(error)}")
        failure = result.failure
        if failure is None:
            return Finding(Kind.WRONG, f"In your order all goes well: the program comes to {self.outcome!r}.")
        if failure.reason != self.reason:
            return told(failure, self.outcome)
        attempt.trace, attempt.story = failure.trace, failure.story
        return None


@dataclass(frozen=True)
class Finds:
    """There is an order in which the program comes to another outcome: what the learner wrote finds a fault in it."""

    program: str
    outcome: Hashable
    otherwise: str = "No order was found in which this fails."

    def __post_init__(self) -> None:
        validate.text("program", self.program)
        validate.hashable("outcome", self.outcome, "an outcome")
        validate.text("otherwise", self.otherwise)

    def judge(self, attempt: Attempt) -> Finding | None:
        """Search the orders until one comes to something else."""
        from helpers.control import CannotCheck, check

        program, holds = Program(attempt.module, self.program), partial(eq, self.outcome)
        try:
            failure = check(program, holds, RUNS, deadline=PATIENCE).failure
        except CannotCheck as error:
            return Finding(Kind.UNKNOWN, _sentence(error))
        if failure is None:
            return Finding(Kind.WRONG, self.otherwise)
        if failure.reason != "outcome":
            return told(failure, self.outcome)
        attempt.trace, attempt.story = failure.trace, failure.story
        return None


@dataclass(frozen=True)
class Says:
    """The learner gives a value by name: an order of lines, a choice, a number; `also` is right as well.

    In a choice neither capitals nor articles count: `Pipe` says what `a pipe` says.
    """

    name: str
    value: Any
    otherwise: str = "Not yet. Read the task once more, and ask for a hint."
    also: Sequence[Any] = ()

    def __post_init__(self) -> None:
        validate.text("name", self.name)
        if not isinstance(self.value, str | int | float | list | dict):
            validate.refuse(TypeError, "value", "text, a number, a list or a dict", self.value)
        validate.text("otherwise", self.otherwise)
        validate.sequence("also", self.also, "values that are right as well", least=0)

    def judge(self, attempt: Attempt) -> Finding | None:
        """Compare what she wrote."""
        said = literal(attempt.text, self.name)
        if said in self.also:
            return None
        if said is None:
            return Finding(Kind.WRONG, f"`{self.name}` must be written as a plain value, with nothing to compute.")
        if isinstance(said, dict) and isinstance(self.value, dict):
            wrong = [str(key) for key, value in self.value.items() if _bare(said.get(key)) != _bare(value)]
            which = "\n- ".join([" Look again at:", *wrong])
            return Finding(Kind.WRONG, self.otherwise + which) if wrong else None
        if isinstance(said, list) and isinstance(self.value, list):
            right = next((n for n, pair in enumerate(zip(said, self.value, strict=False)) if pair[0] != pair[1]), None)
            if said == self.value:
                return None
            upto = min(len(said), len(self.value)) if right is None else right
            place = f"The first {upto} of {len(self.value)} are in their place." if upto else "What comes first is not."
            return Finding(Kind.WRONG, f"{self.otherwise} {place}")
        return None if said == self.value else Finding(Kind.WRONG, self.otherwise)


@dataclass(frozen=True)
class Clean:
    """A real run, recorded: it ends, no process fails, and no shared memory is left.

    Where the task asks for more than an outcome, it also starts as many `children`, and its first process does what
    is named in `does`, such as `join`.
    """

    program: str
    children: int = 0
    does: Sequence[str] = ()

    def __post_init__(self) -> None:
        validate.text("program", self.program)
        validate.whole_number("children", self.children, 0, 100)
        validate.texts("does", self.does, "kinds of event, such as join", least=0)

    def judge(self, attempt: Attempt) -> Finding | None:
        """Run the program once, for its lanes and for what it leaves."""
        from helpers.recording.recorder import record
        from helpers.supervision.supervisor import ProcessesFailed

        trace = None
        try:
            with shared_memory_left() as left, record(deadline=PATIENCE) as trace:
                Program(attempt.module, self.program).call()
        except ProcessesFailed as error:
            stopped = not any(report.failed for report in error.reports)
            words = "Your program did not come to its end:\n" if stopped else "A process of yours failed:\n"
            reports = "\n".join(f"- {report}" for report in error.reports)
            return Finding(Kind.HANGS if stopped else Kind.CRASHED, words + reports, trace=trace)
        except Exception as error:
            return Finding(Kind.CRASHED, f"Your program ended with {type(error).__name__}: {error}", trace=trace)
        attempt.trace = trace
        if left:
            blocks = plural(len(left), "block")
            words = f"It ended, and left {blocks} of shared memory behind, which nobody frees: call `unlink()` once."
            return Finding(Kind.LEAKS, words, trace=trace)
        return self._left_out(trace)

    def _left_out(self, trace: Trace) -> Finding | None:
        """Return what the task asks for and the program came to its outcome without."""
        started = len(trace.processes) - 1
        if started < self.children:
            asked = plural(self.children, "child process", "es")
            words = f"The outcome is right, but it takes {asked}, and your program starts {started}."
            return Finding(Kind.WRONG, words, trace=trace)
        done = {event.kind for event in trace.events if event.process == 0 and not event.outcome.is_failure}
        if missing := [f"`{kind}()`" for kind in self.does if kind not in done]:
            words = f"The outcome is right, but the parent calls no {' or '.join(missing)} that comes to its end."
            return Finding(Kind.WRONG, words, trace=trace)
        return None


@dataclass(frozen=True)
class Script:
    """The module, run as a file by `python`, prints these lines and ends in order, on every system.

    For programs in which no order of steps decides: they are run once. One that is `quiet` does nothing that shows
    when another process reads it as a module.
    """

    prints: str
    quiet: bool = False

    def __post_init__(self) -> None:
        validate.text("prints", self.prints)
        validate.flag("quiet", self.quiet)

    def judge(self, attempt: Attempt) -> Finding | None:
        """Run the file once, and compare what it says; then read it as a module, if that has to be quiet."""
        texts = {node.value for node in ast.walk(ast.parse(attempt.text)) if isinstance(node, ast.Constant)}
        if "fork" in texts:
            # it would hide what goes wrong elsewhere
            return Finding(Kind.WRONG, "It takes `fork`, which not every system has. Let it work by `spawn`.")
        try:
            done = _python("-u", f"{attempt.module}.py")
            said, errors = done.stdout.strip(), done.stderr.strip()
            if said != self.prints or done.returncode != 0:
                words = f"It is to print:\n{self.prints}\nIt prints:\n{said or '(nothing)'}"
                last = f"\nIts last word is: {last_words(errors)}" if errors else ""
                return Finding(Kind.CRASHED if errors else Kind.WRONG, words + last, _own_lines(errors, attempt.module))
            if self.quiet and (shown := _python("-c", f"import {attempt.module}").stdout.strip()):
                words = "It prints what it should. But a child that only reads the file, as a module, also prints:"
                return Finding(Kind.WRONG, f"{words}\n{shown}")
        except subprocess.TimeoutExpired:
            return Finding(Kind.HANGS, f"Your script has not come to its end within {PATIENCE:g} s, and was stopped.")
        attempt.story = f"It prints:\n{said}"
        return None


@dataclass(frozen=True)
class OneCall:
    """Two calls at once come to what they come to one after the other, before whichever line the first is stopped.

    For a class that a manager keeps, and serves to each caller in a thread of its own. `calls` names a function that
    returns two calls without arguments on a fresh object.
    """

    calls: str

    def __post_init__(self) -> None:
        validate.text("calls", self.calls)

    def judge(self, attempt: Attempt) -> Finding | None:
        """Make the two calls in two threads, once for each line."""
        from helpers.exercises.form.two_threads import courses, one_after_the_other, watched_locks

        file = str(Path(f"{attempt.module}.py").resolve())
        spec = spec_from_file_location(attempt.module, file)
        assert spec and spec.loader
        module = module_from_spec(spec)
        with watched_locks():
            spec.loader.exec_module(module)

        def make() -> Any:
            with watched_locks():
                return getattr(module, self.calls)()

        in_turn = one_after_the_other(make, file)
        hanging = Finding(Kind.HANGS, "Two callers of your class wait for ever, because a lock is not free again.")
        if any(course.hangs for course in in_turn):
            return hanging
        allowed = [course.results for course in in_turn]
        for course in courses(make, file):
            if course.hangs:
                return hanging
            if course.results not in allowed:
                words = (
                    f"Two callers are served at the same time: the first is stopped before line {course.line}, and the "
                    f"second makes its whole call. They get {course.results[0]!r} and {course.results[1]!r}, which "
                    "nobody gets one after the other."
                )
                return Finding(Kind.WRONG, words)
        return None


@dataclass(frozen=True)
class Quick:
    """A function that measures seconds takes no more than `at_most` times what the reference takes.

    Where one of the two looks slow, it is measured a few times more, and its best counts.
    """

    needs_reference: ClassVar[bool] = True
    program: str
    at_most: float = SLOWER
    words: str = ""
    at_least: float = 0.0  # s; what is quicker has left something out

    def __post_init__(self) -> None:
        validate.text("program", self.program)
        validate.number("at_most", self.at_most, 1, 100, "times")
        validate.text("words", self.words, may_be_empty=True)
        validate.number("at_least", self.at_least, 0, 60, "s")

    def judge(self, attempt: Attempt) -> Finding | None:
        """Compare the learner's program with the reference, on this machine and now."""
        hers, best = Program(attempt.module, self.program), Program(attempt.reference, self.program)
        mine, reference = hers.call(), best.call()
        # what else runs here may have slowed down the one or the other
        for _ in range(_MORE_MEASUREMENTS):
            if mine > self.at_most * reference:
                mine = min(mine, hers.call())
            elif mine**2 > self.at_most * reference**2:
                reference = min(reference, best.call())
        took = f"{mine * 1000:.3g} ms"
        if mine < self.at_least:
            least = f"{self.at_least * 1000:.3g} ms"
            return Finding(Kind.WRONG, f"It took {took}. In less than {least} not all can have been done.")
        if mine <= self.at_most * reference:
            attempt.story += f"{self.program}: {took} here and now.\n"
            return None
        words = f"It is right. Here it took {took}, and can be done in {reference * 1000:.3g} ms."
        return Finding(Kind.SLOW, f"{words} {self.words}".strip())


@dataclass(frozen=True)
class Proof:
    """A scenario: all schedules are counted, none of which may break its invariant, deadlock, or end otherwise."""

    scenario: str
    outcomes: Sequence[Hashable] = ()  # that may be; any where none is named
    grain: str = ""  # as `explore` has it

    def __post_init__(self) -> None:
        validate.text("scenario", self.scenario)
        validate.sequence("outcomes", self.outcomes, "outcomes that may be", least=0)
        validate.text("grain", self.grain, may_be_empty=True)

    def judge(self, attempt: Attempt) -> Finding | None:
        """Explore the model, and look for the shortest schedule that breaks it."""
        from helpers.scheduling import deadlock, ends_with, explore, violation
        from helpers.scheduling.model.worker_graph import WorkerRaised

        scenario = Program(attempt.module, self.scenario).call()
        try:
            explored = explore(scenario, **({"grain": self.grain} if self.grain else {}))
        except WorkerRaised as error:
            # without the folder of the check, and without what an author of scenarios may declare
            return Finding(Kind.CRASHED, f"Your worker crashes: {str(error).partition(', in ')[0]}.")
        bad = [outcome for outcome in explored.outcomes if self.outcomes and outcome not in self.outcomes]
        ways = [
            (Kind.HANGS, deadlock, "It can come to a deadlock: in the last state nobody can go on."),
            (Kind.WRONG, violation, "In the last state the invariant does not hold."),
            *((Kind.WRONG, ends_with(outcome), f"It can end with {outcome!r}.") for outcome in bad),
        ]
        for kind, target, words in ways:
            if schedule := explored.shortest(target):
                steps = explored.follow(schedule)
                names = explored.model.names
                lines = [f"{number:>4}  {names[step.process]}: {step.label}" for number, step in enumerate(steps, 1)]
                return Finding(kind, f"{words} This is the shortest way there.", "\n".join(lines))
        attempt.story = f"Proved: {explored.schedules:,} schedules were counted, and none goes wrong."
        return None


def last_words(errors: str) -> str:
    """Return the first paragraph of the last error that was written, without the way that led there."""
    found = list(re.finditer(r"^[\w.]+(?:Error|Exception)\b", errors, re.MULTILINE))
    last = errors[found[-1].start() :] if found else errors.splitlines()[-1]
    return " ".join(re.split(r"\n\s*\n", last)[0].split())


def _own_lines(errors: str, module: str) -> str:
    """Return the lines of a module that tracebacks name, each with what stands in it."""
    found = re.findall(rf'^  File ".*\b{module}\.py", (line .*)\n    (.*)', errors, re.MULTILINE)
    return "\n".join(f"{module}.py, {where}: {code}" for where, code in found)


def _python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip


def told(failure: Any, outcome: Hashable, is_plain: bool = False) -> Finding:
    """Return a failure under control as a finding: what went wrong, who waits in which line, where it crashed."""
    when = "Even when nobody is interrupted" if is_plain else "In this order"
    output = failure.execution.output
    if failure.reason == "outcome":
        kind, words = Kind.WRONG, f"{when} your program comes to {failure.outcome!r}, not to {outcome!r}."
    elif failure.reason == "deadlock":
        kind, words = Kind.HANGS, f"{when} your program waits for ever."
    elif failure.reason == "livelock":
        kind, words = Kind.HANGS, f"{when} {_livelock(failure.execution)}"
    elif "SIGXCPU" in failure.conflict:
        kind, words = Kind.HANGS, f"{when} a process goes round in a loop that does not end."
        story = failure.story.partition("\nIt wrote:")[0]
        return Finding(kind, f"{words}\n{_place_in(output)}".rstrip(), story, failure.trace)
    else:
        kind, words = Kind.CRASHED, f"{when} a process of yours crashes."
    return Finding(kind, f"{words}\n{failure.conflict}".rstrip(), failure.story, failure.trace)


def _sentence(error: Exception) -> str:
    """Return what an error says with one full stop, which some have already."""
    return f"{error}.".replace("..", ".")


def _livelock(run: Any) -> str:
    """Return what is known of a program that came to no end."""
    if run.is_idle:
        return "your program goes on for ever, and changes nothing any more."
    if run.is_stuck:
        return "a process of your program is busy with itself, or waits for what nobody here can see."
    return "your program does one thing after another, and comes to no end."


def _place_in(output: str) -> str:
    """Return the line that faulthandler named first, of those in the learner's folder."""
    lines = [line.strip() for line in output.splitlines() if line.strip().startswith("File ")]
    return f"It is here: {lines[0].rpartition('/')[2].replace(chr(34), '')}" if lines else ""


def _bare(said: Any) -> Any:
    """Return words without capitals and article, and whatever else it is as it is."""
    return re.sub(r"^(an?|the) ", "", said.strip().casefold()) if isinstance(said, str) else said


def literal(text: str, name: str) -> Any:
    """Return the value that a module gives to a name, if it is written out; None otherwise. Nothing is executed."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == name for target in node.targets):
            try:
                return ast.literal_eval(node.value)
            except ValueError:
                return None
    return None


@contextmanager
def shared_memory_left() -> Iterator[list[str]]:
    """Fill the list that it yields with the names of shared memory that the block made and did not unlink."""
    left: list[str] = []
    made: list[str] = []
    register, unregister = resource_tracker.register, resource_tracker.unregister

    def note(name: str, rtype: str) -> None:
        if rtype == "shared_memory":
            made.append(name)
        register(name, rtype)

    def forget(name: str, rtype: str) -> None:
        if rtype == "shared_memory" and name in made:
            made.remove(name)
        unregister(name, rtype)

    vars(resource_tracker).update(register=note, unregister=forget)
    try:
        yield left
    finally:
        vars(resource_tracker).update(register=register, unregister=unregister)
        # names are registered again by whoever attaches
        left += sorted(set(made))

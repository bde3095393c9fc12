"""One controlled run of a program: who is there, who waits for what, whose turn is next."""

import re
import signal
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from helpers.control import link
from helpers.control.party import ANSWER, CRASH, END, OUTCOME, STOP, TROUBLE
from helpers.control.world import NEUTRAL, Choice, Knowledge, Op, Transition, World

if TYPE_CHECKING:
    from helpers.control.family import Family

__tracebackhide__ = True  # an instrument: never the place where somebody waits

MOST_STEPS = 20_000  # of one run, before it counts as a livelock
IDLE_STEPS = 600  # in which nothing changes and everybody only looks again, before it counts as a livelock
_PATIENCE = 5.0  # seconds for a party to come to its next operation
_DEATH_SHOWS_WITHIN = 2.0  # seconds
_SIGNAL_WORKS_WITHIN = 0.5  # seconds
_LONGEST_LOOP = 6  # operations of a loop that only looks again

_IDENTITY = re.compile(r"\d+\.\d+")


class CannotCheck(Exception):
    """The program depends on more than the schedule, or on something that control does not reach."""


@dataclass(eq=False)
class Step:
    """One step of a run, as it was."""

    party: str
    op: Op
    runs_out: bool
    cost: int  # 1 if it began with a preemption
    waited_since: int  # the number of the step after which the party had stopped
    options: tuple[Choice, ...]
    said: str = ""
    observed: tuple[bytes, ...] = ()
    touches: tuple[tuple, ...] = ()

    @property
    def choice(self) -> Choice:
        """What the scheduler chose."""
        return self.party, self.runs_out

    @property
    def deed(self) -> tuple:
        """What a second run of the same schedule must do too."""
        return self.party, self.runs_out, self.op.kind, self.op.thing.split("\t")[0], self.op.place, self.options


@dataclass(eq=False)
class Execution:
    """What came of one run."""

    steps: list[Step] = field(default_factory=list)
    start: World = field(default_factory=World)  # before the first step
    reason: str | None = None  # why it failed, as `Failure.reason`; None when it came to its end
    outcome: Hashable = None  # pickled
    words: str = ""  # why it failed, for the reader
    waiting: list["Waiting"] = field(default_factory=list)  # in a deadlock
    names: dict[str, str] = field(default_factory=dict)  # thing -> what the story calls it
    pairs: dict[str, tuple[str, int]] = field(default_factory=dict)
    processes: dict[str, "Life"] = field(default_factory=dict)
    output: str = ""  # what the program wrote
    is_stuck: bool = False  # a party came to no operation for seconds

    @property
    def schedule(self) -> list[Choice]:
        """Whose turn it was, step by step."""
        return [step.choice for step in self.steps]

    @property
    def preemptions(self) -> int:
        """How many preemptions there were."""
        return sum(step.cost for step in self.steps)


@dataclass(eq=False)
class Waiting:
    """One party of a deadlock."""

    party: str
    op: Op
    holders: tuple[str, ...]  # of what it waits for


@dataclass(eq=False)
class Life:
    """The time of one party, in steps."""

    pid: int
    parent: str
    kind: str  # "process" or "thread"
    begin: int
    end: int | None = None
    exitcode: int | None = None


@dataclass(eq=False)
class _Actor:
    """A party from the controller's side."""

    name: str
    line: link.Link
    pid: int
    kind: str
    stopped_at: int = 0
    crash: str = ""
    loop: list[tuple] = field(default_factory=list)


Choose = Callable[[World, list[Choice], int], Choice]  # the world, who can be next, number of the step -> who is next


class Run:
    """One run in a family of processes that is there already."""

    def __init__(self, family: "Family", knowledge: Knowledge | None, merges: bool, until: float) -> None:
        self.family = family
        self.knowledge = knowledge or Knowledge()
        self.learns = knowledge is not None
        self.merges = merges  # equal states may be taken for one
        self.until = until
        self.world = World()
        self.result = Execution()
        self.actors: dict[str, _Actor] = {}
        self.answers: dict[Hashable, bool] = {}
        self._tokens: dict[str, str] = {"main": "main"}  # token of a party -> its name
        self._identities: dict[str, str] = {}
        self._pairs: dict[str, tuple[str, int]] = {}
        self._holders: dict[str, list[str]] = {}
        self._idle = 0
        self._met_here = 0
        self._outside = not merges
        self._leftovers: set[tuple[str, str]] = set()
        self._killed: set[str] = set()

    def perform(self, choose: Choose) -> Execution:
        """Run the program from begin to end, or as far as it gets."""
        self.family.begin_run()
        try:
            self._meet("main", "main", "", "process", 0)
            self.result.start = self.world.copy()
            while self.result.reason is None and self.world.alive:
                if time.monotonic() > self.until:
                    raise OutOfTime
                options = self._options()
                if not options:
                    self._note_deadlock()
                    break
                self._take(choose(self.world, options, len(self.result.steps)), tuple(options))
        except _Stuck:
            pass  # the result says who and where
        finally:
            self._close()
        return self.result

    # -- one step ----------------------------------------------------------------------------------------------------

    def _options(self) -> list[Choice]:
        while (options := self.world.options(self.answers)) is None:
            for name in list(self.world.alive):
                if self.world.can_go_on(name, self.answers) is None:
                    question = self.world.question(name)
                    answer = self._ask(self.actors[name])
                    self.answers[question] = self.knowledge.answers[question] = answer
        return options

    def _ask(self, actor: _Actor) -> bool:
        actor.line.line.sendall(link.ASK)
        message = self._hear(actor)
        if message is None or message[0] != ANSWER:
            raise CannotCheck(f"{actor.name} ended while it was waiting, and not by what the program did")
        return message[1]

    def _take(self, choice: Choice, options: tuple[Choice, ...]) -> None:
        """Let a party take one step, and note what it does."""
        name, runs_out = choice
        actor, before = self.actors[name], self.world.copy() if self.learns else None
        local, op = self.world.alive[name]
        step = Step(name, op, runs_out, self.world.cost(choice, list(options)), actor.stopped_at, options)
        self.result.steps.append(step)
        self.world.current = name
        self._met_here = 0
        with suppress(OSError):
            actor.line.line.sendall(link.TIME_IS_UP if runs_out else link.GO)
        changes = self._follow(actor, step, hash((local, op.kind, op.thing, runs_out)))
        if before is not None and self.result.reason is None:
            self._learn(before, choice, changes)
        self._judge(step, actor)

    def _follow(self, actor: _Actor, step: Step, local: int) -> "_Changes":
        """Hear a party until it stops again, or has ended."""
        changes = _Changes()
        while True:
            message = self._hear(actor)
            if message is None:
                self._die(actor, changes)
                return changes
            if message[0] == CRASH:
                actor.crash = message[1]
                continue
            what, touches, observed, said, strays, content = message
            if strays:
                raise CannotCheck(f"the program uses {strays[0]}, which is no process: threads are not controlled")
            step.said = ", ".join(filter(None, (step.said, said)))
            step.observed += observed
            self._touch_all(actor, step, touches, local, changes)
            if what == TROUBLE:
                raise CannotCheck(content)
            if what == STOP:
                self._follow_loop(actor, step)
                self._arrive(actor, self._new_local(local, step, changes), content)
                return changes
            if what == END:
                self._finish(actor, content, changes)
                return changes
            if what == OUTCOME:
                self.result.outcome = content
            self._bury(changes)
            actor.line.line.sendall(link.GO)

    def _new_local(self, local: int, step: Step, changes: "_Changes") -> int:
        # where no two states can be told to be the same, each is known by the way that led there
        return hash((local, (step.observed, changes.learned) if self.merges else self.world.versions["outside"]))

    def _learn(self, before: World, choice: Choice, changes: "_Changes") -> None:
        local, op = self.world.alive.get(choice[0], (0, None))
        births = tuple((name, *self.world.alive[name]) for name in changes.births if name in self.world.alive)
        step = Transition(tuple(changes.touches), local, op, births, tuple(changes.ends))
        self.knowledge.learn(before, choice, step)

    def _arrive(self, actor: _Actor, local: int, content: tuple) -> None:
        """Note before which operation a party has stopped."""
        kind, thing, place, needs, may_run_out = content
        thing, needs = self._named_thing(thing), self._named_needs(needs)
        yields = kind == "sleep" or _is_looping(actor.loop)
        actor.stopped_at = len(self.result.steps)
        op = Op(kind, thing, tuple(place), needs, may_run_out, yields)
        self.world.alive[actor.name] = hash((local, needs)), op

    def _follow_loop(self, actor: _Actor, step: Step) -> None:
        if all(touch[0] in NEUTRAL for touch in step.touches):
            actor.loop.append((step.op.kind, step.op.thing, step.op.place, step.runs_out, step.observed))
            del actor.loop[: -3 * _LONGEST_LOOP]
        else:
            actor.loop.clear()

    def _touch_all(self, actor: _Actor, step: Step, touches: tuple, local: int, changes: "_Changes") -> None:
        for mode, *values in touches:
            match mode:
                case "birth":
                    token, name, kind, pid = values
                    self._meet(token, name, actor.name, kind, hash((local, len(changes.births))), pid, changes, step)
                case "pair":
                    self._pair(*values)
                case "signal":
                    self._killed |= {other.name for other in self.actors.values() if other.pid == values[0]}
                case "named":
                    self._leftovers.add(tuple(values))
                case "unnamed":
                    self._leftovers.discard(tuple(values))
                case "outside":
                    self._outside = True
                case _:
                    self._touch(actor, step, mode, self._named(values[0]), values[1:], local, changes)
        if self._outside:
            self._apply(step, changes, "s", "outside", local)

    def _touch(
        self, actor: _Actor, step: Step, mode: str, thing: str, values: list, local: int, changes: "_Changes"
    ) -> None:
        if mode == "d":
            holders = self._holders.setdefault(thing, [])
            if values[0] < 0:
                holders.append(actor.name)
            elif holders:
                holders.remove(actor.name if actor.name in holders else holders[0])
        if mode in ("w", "u", "h", "o", "s") and not self.merges:
            values = [0]
        self._apply(step, changes, mode, thing, *(local if value is None else value for value in values))

    def _apply(self, step: Step, changes: "_Changes", mode: str, thing: str, *values: Any) -> None:
        if mode in ("r", "v", "o", "s", "u"):
            seen = self.world.versions.get(thing, 0)
            values = (*values, seen)
            if mode in ("v", "s"):
                changes.learned += (seen,)
        touch = (mode, thing, *values)
        if not self.world.touch((touch,)):
            raise CannotCheck(
                f"{self.family.name}: {thing.split(chr(9))[0]} is used by somebody out of control's sight"
            )
        step.touches += (touch,)
        changes.touches.append(touch)

    # -- names that are the same in every run ------------------------------------------------------------------------

    def _named(self, raw: str) -> str:
        if raw in self._identities:
            return self._identities[raw]
        if raw.startswith("Pipe\t"):
            return self._named_pipe(raw)
        if "\t" in raw and not _IDENTITY.search(raw):
            self._identities[raw] = f"{raw.split(chr(9))[0]}\t#{self._next_identity()}"
            return self._identities[raw]
        return _IDENTITY.sub(lambda match: self._identity(match[0]), raw)

    def _named_thing(self, raw: str) -> str:
        return self._named(raw) if raw.partition("\t")[2] else raw

    def _identity(self, raw: str) -> str:
        if raw in self._tokens:
            return self._tokens[raw]
        if raw not in self._identities:
            self._identities[raw] = f"#{self._next_identity()}"
        return self._identities[raw]

    def _next_identity(self) -> str:
        # who meets it first, and when in that party's life, is the same in all runs that come so far
        self._met_here += 1
        name = self.world.current
        local = self.world.alive[name][0] if name in self.world.alive else 0
        return f"{hash((name, local, self._met_here)) & 0xFFFFFFFFFFFF:x}"

    def _pair(self, one: str, other: str) -> None:
        who = self._next_identity()
        self._pairs[one] = who, 0
        self._pairs[other] = who, int(one != other)
        self.result.pairs[f"Pipe\t#{who}"] = who, int(one != other)

    def _named_pipe(self, raw: str) -> str:
        thing, _, side = raw.partition(" ")
        if thing not in self._pairs:
            return "Listener\tnetwork"
        who, end = self._pairs[thing]
        is_duplex = self.result.pairs[f"Pipe\t#{who}"][1]
        direction = end if side != "<" or not is_duplex else 1 - end
        return f"Pipe\t#{who} {direction}" if side else f"Pipe\t#{who}"

    def _named_needs(self, needs: tuple) -> tuple:
        kind, *things = needs
        if kind == "end":
            return kind, self._tokens.get(things[0], things[0])
        named = tuple(self._named(thing) for thing in things)
        return (kind, *named, self.world.versions.get(named[0], 0)) if kind == "change" else (kind, *named)

    # -- births and deaths -------------------------------------------------------------------------------------------

    def _meet(
        self, token: str, name: str, parent: str, kind: str, local: int, pid: int = 0,
        changes: "_Changes | None" = None, step: Step | None = None,
    ) -> None:  # fmt: skip
        """Wait for a new party to stop for the first time; what it made before belongs to the step that started it."""
        changes = changes or _Changes()
        name = self._unused(name if kind == "process" else f"{parent} {name}")
        self._tokens[token] = name
        line, own_pid = self.family.await_hello(token, pid, time.monotonic() + _PATIENCE)
        self.result.processes[name] = Life(own_pid or pid, parent, kind, len(self.result.steps))
        if line is None:
            self.world.ended[name] = 1
            changes.ends.append((name, 1))
            self.world.born += (name,)
            self.result.reason, self.result.words = "crash", f"{name} could not begin"
            return
        actor = self.actors[name] = _Actor(name, line, own_pid, kind)
        message = self._hear(actor)
        if message is None:
            raise CannotCheck(f"{name} ended before it began")
        begin = Op("begin", "", ("", 0, ""), ("always",), False, False)
        self.world.bear(name, 0, begin)
        self._touch_all(actor, step or Step(name, begin, False, 0, 0, ()), message[1], local, changes)
        self._arrive(actor, hash((name, local)), message[5])
        changes.births.append(name)

    def _unused(self, name: str) -> str:
        number, unused = 1, name
        while unused in self.result.processes:
            number += 1
            unused = f"{name} #{number}"
        return unused

    def _finish(self, actor: _Actor, code: int, changes: "_Changes") -> None:
        if actor.kind == "process":
            self.family.await_death(actor.pid, actor.line, _DEATH_SHOWS_WITHIN)
        self._note_end(actor, code, changes)

    def _note_end(self, actor: _Actor, code: int | None, changes: "_Changes") -> None:
        for other in self.actors.values():
            is_gone = other is actor or (actor.kind == "process" and other.pid == actor.pid)
            if is_gone and other.name in self.world.alive:
                self.world.end(other.name, code)
                changes.ends.append((other.name, code))
                life = self.result.processes[other.name]
                life.end, life.exitcode = len(self.result.steps), code

    def _die(self, actor: _Actor, changes: "_Changes") -> None:
        """Note that a process has ended without a word."""
        main = next(other for other in self.actors.values() if other.pid == actor.pid and other.kind == "process")
        code = self.family.await_death(actor.pid, actor.line, _DEATH_SHOWS_WITHIN)
        self._note_end(main, code, changes)
        if code != 0:
            how = f"was killed by {_signal_name(-code)}" if code and code < 0 else f"left with exit code {code}"
            main.crash = main.crash or f"{main.name} {how if code is not None else 'ended without a word'}"
            self.result.reason, self.result.words = "crash", main.crash

    def _bury(self, changes: "_Changes") -> None:
        """Note the ends of those who were sent a signal, unless they have survived it."""
        for name in sorted(self._killed):
            actor = self.actors[name]
            if name in self.world.alive and actor.kind == "process":
                code = self.family.await_death(actor.pid, actor.line, _SIGNAL_WORKS_WITHIN)
                if code is not None:
                    self._note_end(actor, code, changes)
        self._killed.clear()

    # -- judgement ---------------------------------------------------------------------------------------------------

    def _judge(self, step: Step, actor: _Actor) -> None:
        if self.result.reason:
            return
        if actor.crash and actor.name not in self.world.alive:
            self.result.reason, self.result.words = "crash", f"{actor.name}: {actor.crash}"
        elif self.world.ended.get(actor.name) and actor.kind == "process":
            code = self.world.ended[actor.name]
            self.result.reason, self.result.words = "crash", f"{actor.name} ended with exit code {code}"
        self._idle = self._idle + 1 if all(touch[0] in NEUTRAL for touch in step.touches) else 0
        free = [op for _, op in self.world.alive.values() if op.needs[0] == "always"]
        stuck = self._idle > IDLE_STEPS and all(op.yields for op in free)
        if stuck or len(self.result.steps) >= MOST_STEPS:
            self.result.reason = "livelock"
            how = f"{self._idle} steps changed nothing" if stuck else f"{MOST_STEPS:,} steps did not come to an end"
            self.result.words = how

    def _note_deadlock(self) -> None:
        self.result.reason = "deadlock"
        for name, (_, op) in self.world.alive.items():
            if op.kind == "feed" and not op.needs[1].startswith("Pipe"):
                # it waits for work, as it should
                continue
            holders: tuple[str, ...] = ()
            if op.needs[0] == "sem":
                holders = tuple(self._holders.get(op.needs[1], ()))
            elif op.needs[0] == "end":
                holders = (op.needs[1],)
            self.result.waiting.append(Waiting(name, op, holders))

    # -- listening ---------------------------------------------------------------------------------------------------

    def _hear(self, actor: _Actor) -> tuple | None:
        """Return the next message of a party; None when its process has ended."""
        actor.line.line.settimeout(_PATIENCE)
        try:
            return actor.line.receive()
        except EOFError:
            return None
        except TimeoutError:
            self._name_loop(actor)
            raise _Stuck from None

    def _name_loop(self, actor: _Actor) -> None:
        place = self.family.where(actor.pid)
        at = f"; it is in {place}" if place else ""
        self.result.reason, self.result.is_stuck = "livelock", True
        self.result.words = f"{actor.name} has come to no operation for {_PATIENCE:g} s{at}"

    def _close(self) -> None:
        for actor in self.actors.values():
            with suppress(OSError):
                actor.line.line.sendall(link.QUIT)
            actor.line.close()
        self.result.output = self.family.end_run(self._leftovers)
        self.result.names = dict(self._identities)


class OutOfTime(Exception):
    """The deadline of the check passed in the middle of a run, which therefore says nothing."""


class _Stuck(Exception):
    """A party does not come to its next operation."""


@dataclass(eq=False)
class _Changes:
    """What one step changes in the world."""

    touches: list[tuple] = field(default_factory=list)
    learned: tuple = ()  # what the party knows now of things beside what it has observed
    births: list[str] = field(default_factory=list)
    ends: list[tuple[str, int | None]] = field(default_factory=list)


def _is_looping(loop: list[tuple]) -> bool:
    """Tell whether the last operations are the same, one or a few, three times over."""
    for length in range(1, _LONGEST_LOOP + 1):
        last, middle, first = loop[-length:], loop[-2 * length : -length], loop[-3 * length : -2 * length]
        if len(loop) >= 3 * length and last == middle == first:
            return True
    return False


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

"""One controlled run of a program: who is there, who waits for what, whose turn is next."""

import pickle
import re
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from helpers.control import protocol
from helpers.control.participant import ANSWER, CRASH, END, OUTCOME, REFUSAL, STOP
from helpers.control.states import NEUTRAL, Choice, Knowledge, Op, State, Transition
from helpers.supervision.child import signal_name

if TYPE_CHECKING:
    from helpers.control.process_tree import ProcessTree

__tracebackhide__ = True  # an instrument: never the place where somebody waits

IDLE_STEPS = 600  # in which nothing changes and everybody only looks again, before it counts as a livelock
_STEP_DEADLINE = 5.0  # seconds for a participant to come to its next operation
_EXIT_SHOWS_WITHIN = 2.0  # seconds
_SIGNAL_WORKS_WITHIN = 0.5  # seconds
_LONGEST_LOOP = 6  # operations of a loop that only looks again

_IDENTITY = re.compile(r"\d+\.\d+")


class CannotCheck(Exception):
    """The program depends on more than the schedule, or on something that control does not reach."""


@dataclass(eq=False)
class Step:
    """One step of a run, as it was."""

    participant: str
    op: Op
    times_out: bool
    cost: int  # 1 if it began with a preemption
    waited_since: int  # the number of the step after which the participant had stopped
    options: tuple[Choice, ...]
    detail: str = ""  # the value that was read or written, in words
    observed: tuple[bytes, ...] = ()
    accesses: tuple[tuple, ...] = ()

    @property
    def choice(self) -> Choice:
        """What the scheduler chose."""
        return self.participant, self.times_out

    @property
    def signature(self) -> tuple:
        """What a second run of the same schedule must do too."""
        return self.participant, self.times_out, self.op.kind, self.op.thing.split("\t")[0], self.op.place, self.options


@dataclass(eq=False)
class Execution:
    """What came of one run."""

    steps: list[Step] = field(default_factory=list)
    start: State = field(default_factory=State)  # before the first step
    reason: str | None = None  # why it failed, as `Failure.reason`; None when it came to its end
    pickled: bytes | None = None  # what the program returned, if it came to that
    words: str = ""  # why it failed, for the reader
    waiting: list["Waiting"] = field(default_factory=list)  # in a deadlock
    names: dict[str, str] = field(default_factory=dict)  # thing -> what the story calls it
    pairs: dict[str, tuple[str, int]] = field(default_factory=dict)
    processes: dict[str, "Lifetime"] = field(default_factory=dict)
    output: str = ""  # what the program wrote
    is_stuck: bool = False  # a participant came to no operation for seconds
    is_idle: bool = False  # it went on, and changed nothing any more

    @property
    def schedule(self) -> list[Choice]:
        """Whose turn it was, step by step."""
        return [step.choice for step in self.steps]

    @property
    def outcome(self) -> Hashable:
        """What the program returned; None when it did not come to that."""
        return None if self.pickled is None else pickle.loads(self.pickled)

    @property
    def preemptions(self) -> int:
        """How many preemptions there were."""
        return sum(step.cost for step in self.steps)


@dataclass(eq=False)
class Waiting:
    """One participant of a deadlock."""

    participant: str
    op: Op
    holders: tuple[str, ...]  # of what it waits for


@dataclass(eq=False)
class Lifetime:
    """The time of one participant, in steps."""

    pid: int
    parent: str
    kind: str  # "process" or "thread"
    begin: int
    end: int | None = None
    exitcode: int | None = None


@dataclass(eq=False)
class _Participant:
    """A participant from the controller's side."""

    name: str
    link: protocol.Link
    pid: int
    kind: str
    stopped_at: int = 0
    crash: str = ""
    loop: list[tuple] = field(default_factory=list)


Choose = Callable[[State, list[Choice], int], Choice]  # the state, who can be next, number of the step -> who is next


class Run:
    """One run in a tree of processes that is there already."""

    def __init__(
        self, tree: "ProcessTree", knowledge: Knowledge | None, merges: bool, until: float, most_steps: int
    ) -> None:
        self.tree = tree
        self.most_steps = most_steps  # before it counts as a livelock
        self.knowledge = knowledge or Knowledge()
        self.learns = knowledge is not None
        self.merges = merges  # equal states may be taken for one
        self.until = until
        self.state = State()
        self.result = Execution()
        self.participants: dict[str, _Participant] = {}
        self.answers: dict[Hashable, bool] = {}
        self._tokens: dict[str, str] = {"main": "main"}  # token of a participant -> its name
        self._identities: dict[str, str] = {}
        self._pairs: dict[str, tuple[str, int]] = {}
        self._holders: dict[str, list[str]] = {}
        self._idle = 0
        self._named_in_step = 0
        self._has_untracked = not merges
        self._killed: set[str] = set()

    def perform(self, choose: Choose) -> Execution:
        """Run the program from begin to end, or as far as it gets."""
        self.tree.begin_run()
        try:
            self._admit("main", "main", "", "process", 0)
            self.result.start = self.state.copy()
            while self.result.reason is None and self.state.alive:
                if time.monotonic() > self.until:
                    raise OutOfTime
                options = self._options()
                if not options:
                    self._note_deadlock()
                    break
                self._take(choose(self.state, options, len(self.result.steps)), tuple(options))
        except _Stuck:
            pass  # the result says who and where
        finally:
            self._close()
        return self.result

    # -- one step ----------------------------------------------------------------------------------------------------

    def _options(self) -> list[Choice]:
        while (options := self.state.options(self.answers)) is None:
            for name in list(self.state.alive):
                if self.state.is_enabled(name, self.answers) is None:
                    question = self.state.question(name)
                    answer = self._ask(self.participants[name])
                    self.answers[question] = self.knowledge.answers[question] = answer
        return options

    def _ask(self, participant: _Participant) -> bool:
        participant.link.socket.sendall(protocol.ASK)
        message = self._receive(participant)
        if message is None or message[0] != ANSWER:
            raise CannotCheck(f"{participant.name} ended while it was waiting, and not by what the program did")
        return message[1]

    def _take(self, choice: Choice, options: tuple[Choice, ...]) -> None:
        """Let a participant take one step, and note what it does."""
        name, times_out = choice
        participant, before = self.participants[name], self.state.copy() if self.learns else None
        local, op = self.state.alive[name]
        step = Step(name, op, times_out, self.state.cost(choice, list(options)), participant.stopped_at, options)
        self.result.steps.append(step)
        self.state.current = name
        self._named_in_step = 0
        with suppress(OSError):
            participant.link.socket.sendall(protocol.TIME_IS_UP if times_out else protocol.GO)
        changes = self._follow(participant, step, hash((local, op.kind, op.thing, times_out)))
        if before is not None and self.result.reason is None:
            self._learn(before, choice, changes)
        self._judge(step, participant)

    def _follow(self, participant: _Participant, step: Step, local: int) -> "_Changes":
        """Receive what a participant sends until it stops again, or has ended."""
        changes = _Changes()
        while True:
            message = self._receive(participant)
            if message is None:
                self._note_exit(participant, changes)
                return changes
            if message[0] == CRASH:
                participant.crash = message[1]
                continue
            what, accesses, observed, detail, uncontrolled, content = message
            if uncontrolled:
                raise CannotCheck(
                    f"{uncontrolled[0]} uses objects of multiprocessing; control schedules processes, not threads that "
                    "a program starts itself (by threading, concurrent.futures, asyncio): use Process or Pool there"
                )
            step.detail = ", ".join(filter(None, (step.detail, detail)))
            step.observed += observed
            self._apply_all(participant, step, accesses, local, changes)
            if what == REFUSAL:
                raise CannotCheck(content)
            if what == STOP:
                self._follow_loop(participant, step)
                self._arrive(participant, self._new_local(local, step, changes), content)
                return changes
            if what == END:
                self._finish(participant, content, changes)
                return changes
            if what == OUTCOME:
                self.result.pickled = content
            self._note_killed(changes)
            # it may have been killed along with another
            with suppress(OSError):
                participant.link.socket.sendall(protocol.GO)

    def _new_local(self, local: int, step: Step, changes: "_Changes") -> int:
        # where no two states can be told to be the same, each is known by the way that led there
        return hash((local, (step.observed, changes.learned) if self.merges else self.state.versions["untracked"]))

    def _learn(self, before: State, choice: Choice, changes: "_Changes") -> None:
        local, op = self.state.alive.get(choice[0], (0, None))
        started = tuple((name, *self.state.alive[name]) for name in changes.started if name in self.state.alive)
        step = Transition(tuple(changes.accesses), local, op, started, tuple(changes.ends))
        self.knowledge.learn(before, choice, step)

    def _arrive(self, participant: _Participant, local: int, content: tuple) -> None:
        """Note before which operation a participant has stopped."""
        kind, thing, place, needs, may_time_out = content
        thing, needs = self._named_thing(thing), self._named_needs(needs)
        yields = kind == "sleep" or _is_looping(participant.loop)
        participant.stopped_at = len(self.result.steps)
        op = Op(kind, thing, tuple(place), needs, may_time_out, yields)
        self.state.alive[participant.name] = hash((local, needs)), op

    def _follow_loop(self, participant: _Participant, step: Step) -> None:
        if all(access[0] in NEUTRAL for access in step.accesses):
            participant.loop.append((step.op.kind, step.op.thing, step.op.place, step.times_out, step.observed))
            del participant.loop[: -3 * _LONGEST_LOOP]
        else:
            participant.loop.clear()

    def _apply_all(
        self, participant: _Participant, step: Step, accesses: tuple, local: int, changes: "_Changes"
    ) -> None:
        for mode, *values in accesses:
            match mode:
                case "started":
                    token, name, kind, pid = values
                    first_local = hash((local, len(changes.started)))
                    self._admit(token, name, participant.name, kind, first_local, pid, changes, step)
                case "pair":
                    self._pair(*values)
                case "signal":
                    self._killed |= {other.name for other in self.participants.values() if other.pid == values[0]}
                case "untracked":
                    self._has_untracked = True
                case _:
                    self._apply_access(participant, step, mode, self._named(values[0]), values[1:], local, changes)
        if self._has_untracked:
            self._apply(step, changes, "s", "untracked", local)

    def _apply_access(
        self, participant: _Participant, step: Step, mode: str, thing: str, values: list, local: int,
        changes: "_Changes",
    ) -> None:  # fmt: skip
        if mode == "d":
            holders = self._holders.setdefault(thing, [])
            if values[0] < 0:
                holders.append(participant.name)
            elif holders:
                holders.remove(participant.name if participant.name in holders else holders[0])
        if mode in ("w", "u", "h", "o", "s") and not self.merges:
            values = [0]
        self._apply(step, changes, mode, thing, *(local if value is None else value for value in values))

    def _apply(self, step: Step, changes: "_Changes", mode: str, thing: str, *values: Any) -> None:
        if mode in ("r", "v", "o", "s", "u"):
            seen = self.state.versions.get(thing, 0)
            values = (*values, seen)
            if mode in ("v", "s"):
                changes.learned += (seen,)
        access = (mode, thing, *values)
        if not self.state.apply((access,)):
            raise CannotCheck(f"{self.tree.name}: {thing.split(chr(9))[0]} is used by somebody out of control's sight")
        step.accesses += (access,)
        changes.accesses.append(access)

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
        # who meets it first, and when in that participant's steps, is the same in all runs that come so far
        self._named_in_step += 1
        name = self.state.current
        local = self.state.alive[name][0] if name in self.state.alive else 0
        return f"{hash((name, local, self._named_in_step)) & 0xFFFFFFFFFFFF:x}"

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
        return (kind, *named, self.state.versions.get(named[0], 0)) if kind == "change" else (kind, *named)

    # -- begin and end -----------------------------------------------------------------------------------------------

    def _admit(
        self, token: str, name: str, parent: str, kind: str, local: int, pid: int = 0,
        changes: "_Changes | None" = None, step: Step | None = None,
    ) -> None:  # fmt: skip
        """Wait for the first stop of a new participant; what it made before belongs to the step that started it."""
        changes = changes or _Changes()
        name = self._unused(name if kind == "process" else f"{parent} {name}")
        self._tokens[token] = name
        link, own_pid = self.tree.await_hello(token, pid, time.monotonic() + _STEP_DEADLINE)
        self.result.processes[name] = Lifetime(own_pid or pid, parent, kind, len(self.result.steps))
        if link is None:
            self.state.ended[name] = 1
            changes.ends.append((name, 1))
            self.state.names += (name,)
            self.result.reason, self.result.words = "crash", f"{name} could not begin"
            return
        participant = self.participants[name] = _Participant(name, link, own_pid, kind)
        message = self._receive(participant)
        if message is None:
            raise CannotCheck(f"{name} ended before it began")
        begin = Op("begin", "", ("", 0, ""), ("always",), False, False)
        self.state.add(name, 0, begin)
        self._apply_all(participant, step or Step(name, begin, False, 0, 0, ()), message[1], local, changes)
        self._arrive(participant, hash((name, local)), message[5])
        changes.started.append(name)

    def _unused(self, name: str) -> str:
        number, unused = 1, name
        while unused in self.result.processes:
            number += 1
            unused = f"{name} #{number}"
        return unused

    def _finish(self, participant: _Participant, code: int, changes: "_Changes") -> None:
        if participant.kind == "process":
            self.tree.await_exit(participant.pid, participant.link, _EXIT_SHOWS_WITHIN)
        self._note_end(participant, code, changes)

    def _note_end(self, participant: _Participant, code: int | None, changes: "_Changes") -> None:
        for other in self.participants.values():
            is_gone = other is participant or (participant.kind == "process" and other.pid == participant.pid)
            if is_gone and other.name in self.state.alive:
                self.state.end(other.name, code)
                changes.ends.append((other.name, code))
                lifetime = self.result.processes[other.name]
                lifetime.end, lifetime.exitcode = len(self.result.steps), code

    def _note_exit(self, participant: _Participant, changes: "_Changes") -> None:
        """Note that a process has ended without a word."""
        leader = self.participants["main"]
        if participant.pid != leader.pid and self.tree.has_died(leader.pid):
            # it took the others along
            participant = leader
        same_process = (other for other in self.participants.values() if other.pid == participant.pid)
        main = next(other for other in same_process if other.kind == "process")
        code = self.tree.await_exit(participant.pid, participant.link, _EXIT_SHOWS_WITHIN)
        self._note_end(main, code, changes)
        if code != 0 and self.result.reason is None:
            how = f"was killed by {signal_name(-code)}" if code and code < 0 else f"left with exit code {code}"
            main.crash = main.crash or f"{main.name} {how if code is not None else 'ended without a word'}"
            self.result.reason, self.result.words = "crash", main.crash

    def _note_killed(self, changes: "_Changes") -> None:
        """Note the ends of those who were sent a signal, unless they have survived it."""
        for name in sorted(self._killed):
            participant = self.participants[name]
            if name in self.state.alive and participant.kind == "process":
                code = self.tree.await_exit(participant.pid, participant.link, _SIGNAL_WORKS_WITHIN)
                if code is not None:
                    self._note_end(participant, code, changes)
                if name == "main" and code is not None:
                    self.result.reason, self.result.words = "crash", "main was killed by another process of the program"
        self._killed.clear()

    # -- judgement ---------------------------------------------------------------------------------------------------

    def _judge(self, step: Step, participant: _Participant) -> None:
        if self.result.reason:
            return
        if participant.crash and participant.name not in self.state.alive:
            self.result.reason, self.result.words = "crash", f"{participant.name}: {participant.crash}"
        elif self.state.ended.get(participant.name) and participant.kind == "process":
            code = self.state.ended[participant.name]
            self.result.reason, self.result.words = "crash", f"{participant.name} ended with exit code {code}"
        self._idle = self._idle + 1 if all(access[0] in NEUTRAL for access in step.accesses) else 0
        free = [op for _, op in self.state.alive.values() if op.needs[0] == "always"]
        stuck = self._idle > IDLE_STEPS and all(op.yields for op in free)
        if stuck or len(self.result.steps) >= self.most_steps:
            self.result.reason, self.result.is_idle = "livelock", stuck
            how = (
                f"{self._idle} steps changed nothing" if stuck else f"{self.most_steps:,} steps did not come to an end"
            )
            self.result.words = how

    def _note_deadlock(self) -> None:
        self.result.reason = "deadlock"
        for name, (_, op) in self.state.alive.items():
            if op.kind == "feed" and not op.needs[1].startswith("Pipe"):
                # it waits for work, as it should
                continue
            holders: tuple[str, ...] = ()
            if op.needs[0] == "sem":
                holders = tuple(self._holders.get(op.needs[1], ()))
            elif op.needs[0] == "end":
                holders = (op.needs[1],)
            self.result.waiting.append(Waiting(name, op, holders))

    # -- messages ----------------------------------------------------------------------------------------------------

    def _receive(self, participant: _Participant) -> tuple | None:
        """Return the next message of a participant; None when its process has ended."""
        participant.link.socket.settimeout(max(0.01, min(_STEP_DEADLINE, self.until - time.monotonic())))
        try:
            return participant.link.receive()
        except EOFError:
            return None
        except TimeoutError:
            if time.monotonic() > self.until:
                raise OutOfTime from None
            self._name_loop(participant)
            raise _Stuck from None

    def _name_loop(self, participant: _Participant) -> None:
        place = self.tree.where(participant.pid)
        at = f"; it is in {place}" if place else ""
        self.result.reason, self.result.is_stuck = "livelock", True
        self.result.words = f"{participant.name} has come to no operation for {_STEP_DEADLINE:g} s{at}"

    def _close(self) -> None:
        for participant in self.participants.values():
            with suppress(OSError):
                participant.link.socket.sendall(protocol.QUIT)
            participant.link.close()
        self.result.output = self.tree.end_run()
        self.result.names = dict(self._identities)


class OutOfTime(Exception):
    """The deadline of the check passed in the middle of a run, which therefore says nothing."""


class _Stuck(Exception):
    """A participant does not come to its next operation."""


@dataclass(eq=False)
class _Changes:
    """What one step changes."""

    accesses: list[tuple] = field(default_factory=list)
    learned: tuple = ()  # what the participant knows now of things beside what it has observed
    started: list[str] = field(default_factory=list)
    ends: list[tuple[str, int | None]] = field(default_factory=list)


def _is_looping(loop: list[tuple]) -> bool:
    """Tell whether the last operations are the same, one or a few, three times over."""
    for length in range(1, _LONGEST_LOOP + 1):
        last, middle, first = loop[-length:], loop[-2 * length : -length], loop[-3 * length : -2 * length]
        if len(loop) >= 3 * length and last == middle == first:
            return True
    return False

"""What the controller knows of a program: states of it, and how each participant's steps change them.

A program whose participants depend on nothing but each other is a graph. A step of a participant depends on what it has
learned so far, and on what the step accesses; so a step that was seen once is known wherever both are the same, and
need not be run again. This is how orders that cannot differ are not tried twice.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__tracebackhide__ = True  # an instrument: never the place where somebody waits

Choice = tuple[str, bool]  # the participant that is next, and whether its time runs out instead
# accesses after which the state is as it was, or that only take and give permits
NEUTRAL = frozenset({"r", "v", "z", "d"})


class Op(NamedTuple):
    """The operation before which a participant has stopped."""

    kind: str  # "acquire", "read", "send", "begin", ...
    thing: str  # what it is about: a label, a tab and an identity; or "" for nothing
    place: tuple[str, int, str]  # file, line, function
    needs: tuple[Any, ...]  # see `helpers.control.participant`
    may_time_out: bool  # its time may run out while it waits
    yields: bool  # it lets others go first: it sleeps, or has only looked again and again


@dataclass(frozen=True, eq=False)
class Transition:
    """One step of one participant, as it was seen once."""

    accesses: tuple[tuple, ...]  # with the version seen, where the step depends on it
    local: int  # what the participant has learned afterwards
    op: Op | None  # before which it stops next; None when it has ended
    started: tuple[tuple[str, int, Op], ...] = ()
    ends: tuple[tuple[str, int | None], ...] = ()  # who has ended in this step, with the exit code


@dataclass(eq=False)
class State:
    """One state: who has stopped where, and what each shared thing holds."""

    alive: dict[str, tuple[int, Op]] = field(default_factory=dict)  # in order of begin; what each knows, and its stop
    versions: dict[str, Any] = field(default_factory=dict)
    ended: dict[str, int | None] = field(default_factory=dict)  # with exit codes
    names: tuple[str, ...] = ()  # of all who ever began, in order
    current: str = ""  # who made the last step

    def copy(self) -> "State":
        """Return a state that can change without this one."""
        return State(dict(self.alive), dict(self.versions), dict(self.ended), self.names, self.current)

    def key(self) -> Hashable:
        """Return what tells this state from others."""
        current = self.current if self.current in self.alive else ""
        locals_ = frozenset((name, local) for name, (local, _) in self.alive.items())
        return current, locals_, frozenset(self.versions.items()), frozenset(self.ended.items())

    def after(self, name: str, step: Transition) -> "State | None":
        """Return the state after a known step; None when the step is another one in this state."""
        state = self.copy()
        if not state.apply(step.accesses):
            return None
        state.current = name
        if step.op:
            state.alive[name] = step.local, step.op
        for child, local, op in step.started:
            state.add(child, local, op)
        for ended, code in step.ends:
            state.end(ended, code)
        return state

    def apply(self, accesses: tuple[tuple, ...]) -> bool:
        """Do to the things what a step did; False when it finds something else than it found then."""
        versions = self.versions
        for mode, thing, *values in accesses:
            if mode == "d":
                permits = versions.get(thing, 0) + values[0]
                if not 0 <= permits <= values[1]:
                    return False
                versions[thing] = permits
            elif mode == "z":
                if versions.get(thing, 0) != 0:
                    return False
            elif mode in ("new", "w"):
                versions[thing] = values[0]
            elif mode == "h":
                versions[thing] = hash((versions.get(thing, 0), values[0]))
            else:
                if versions.get(thing, 0) != values[-1]:
                    return False
                if mode in ("o", "s"):
                    versions[thing] = hash((versions.get(thing, 0), values[0]))
                elif mode == "u":
                    versions[thing] = values[0]
        return True

    def add(self, name: str, local: int, op: Op) -> None:
        """Note that a participant is there."""
        self.alive[name] = local, op
        self.names += (name,)

    def end(self, name: str, code: int | None) -> None:
        """Note that a participant has ended; what it held of pipes is closed."""
        if name not in self.alive:
            return
        del self.alive[name]
        self.ended[name] = code
        self.versions[f"end {name}"] = 1
        for thing, version in self.versions.items():
            if thing.startswith("Pipe"):
                self.versions[thing] = version ^ hash(("end", name))

    def question(self, name: str) -> Hashable:
        """Return all that the answer to whether this participant can go on depends on."""
        local, op = self.alive[name]
        return name, local, tuple(self.versions.get(thing, 0) for thing in op.needs[1:]), frozenset(self.ended)

    def is_enabled(self, name: str, answers: dict[Hashable, bool]) -> bool | None:
        """Tell whether a participant need not wait; None when it has to be asked."""
        needs = self.alive[name][1].needs
        match needs[0]:
            case "always":
                return True
            case "sem":
                return self.versions.get(needs[1], 0) > 0
            case "end":
                return needs[1] in self.ended
            case "change":
                return self.versions.get(needs[1], 0) != needs[2]
        return answers.get(self.question(name))

    def options(self, answers: dict[Hashable, bool]) -> list[Choice] | None:
        """Return who can be next; None when that is not known."""
        options: list[Choice] = []
        for name, (_, op) in self.alive.items():
            goes_on = self.is_enabled(name, answers)
            if goes_on is None:
                return None
            if goes_on:
                options.append((name, False))
            elif op.may_time_out:
                options.append((name, True))
        return options

    def cost(self, choice: Choice, options: list[Choice]) -> int:
        """Return 1 for a preemption, else 0.

        It is a preemption to take the turn from a participant that could go on, to let somebody's time run out though
        somebody could go on, or to go on with one that sleeps though another could.
        """
        name, times_out = choice
        if times_out:
            return int(any(not late for _, late in options))
        if (self.current, False) not in options:
            return 0
        if self.alive[self.current][1].yields:
            return int(name == self.current and any(other != name and not late for other, late in options))
        return int(name != self.current)

    def default(self, options: list[Choice]) -> Choice:
        """Return the choice that preempts nobody: go on, else the next in order of begin."""
        here = self.names.index(self.current) if self.current else -1
        turns = {name: (place - here) % len(self.names) for place, name in enumerate(self.names)}
        return min(options, key=lambda choice: (choice[1], self.cost(choice, options), turns[choice[0]]))


class Knowledge:
    """Every step that was seen in any run, and every answer to whether a participant can go on."""

    def __init__(self) -> None:
        self.steps: dict[tuple[str, int, bool], list[Transition]] = {}
        self.answers: dict[Hashable, bool] = {}

    def learn(self, state: State, choice: Choice, step: Transition) -> None:
        """Note a step that was seen in this state."""
        known = self.steps.setdefault((choice[0], state.alive[choice[0]][0], choice[1]), [])
        if all(state.after(choice[0], other) is None for other in known):
            known.append(step)

    def successor(self, state: State, choice: Choice) -> State | None:
        """Return the state after a choice; None when that is not known."""
        name, times_out = choice
        for step in self.steps.get((name, state.alive[name][0], times_out), ()):
            if after := state.after(name, step):
                return after
        return None


def names_of(schedule: Iterable[Choice]) -> tuple[str, ...]:
    """Return a schedule as it is shown: the names of those whose turn it is."""
    return tuple(name + LATE if late else name for name, late in schedule)


def choices_of(schedule: tuple[str, ...]) -> list[Choice]:
    """Return the choices of a schedule that is shown."""
    return [(name.removesuffix(LATE), name.endswith(LATE)) for name in schedule]


LATE = " (time is up)"

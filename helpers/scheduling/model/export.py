"""A state graph as plain data, ready for JSON: an explorer can go on with it without Python."""

import inspect
import linecache
from collections.abc import Mapping
from typing import Any

from helpers import validate
from helpers.scheduling.model.exploration import A_PREDICATE, Exploration, Predicate, deadlock
from helpers.scheduling.model.model import Step
from helpers.scheduling.model.worker_graph import Location, SourceLine
from helpers.scheduling.program.semantics import READS, WRITES, Access

MAX_STATES = 5_000
MAX_ORDER_CASES = 20_000  # states with sleep sets, looked at to count distinct orders


def graph_data(
    explored: Exploration, max_states: int = MAX_STATES, goals: Mapping[str, Predicate] | None = None
) -> dict[str, Any]:
    """Return an explored scenario as dicts, lists, strings and numbers. Tables refer to each other by index.

    name, grain: of the scenario; invariant: whether it has one.
    processes: list of {name}.
    objects: list of {name, kind} of the shared objects.
    sources: list of {function, first_line, lines}: the functions in which steps begin.
    shared: list of {values: text of each object, holders: numbers of the processes that hold each object, violated}.
    locations: where a process can stand: {ended, error, variables: name -> text, depth: accesses since its last yield,
        doing: what comes next in words ("" for no access), and unless ended: source, line: where the next step begins,
        object: what it uses first (None for nothing), waits_for: words for while it cannot}.
    steps: list of {label, saw: list of words, touches: list of [variable, whether it is read, whether it is written],
        looks_at, may_change: objects on which the step depends, and those of them that are not left as they are}.
        An object is one variable, or several such as the items of a dict; they are numbered from 0.
    states: list of [shared, [location of each process], [next state or None for each process], [step or None for
        each]]. State 0 is the start. A state without next states is an end; a process that has not ended and has no
        next state is blocked, and the holders of the object of its location hold it.
    outcomes: list of {text, schedules: str, uniform: float or None, coin: float}, most schedules first.
    ends: for each state that is an end, by its index as a string: the index of its outcome, None for a deadlock.
    deadlock: {schedules: str, coin: float}.
    orders: {schedules, distinct: str, None where to count takes too long}: how many schedules there are in all, and how
        many when those that differ only in the order of independent steps are counted once.
    goals: list of {task, states: those in which it is reached}, for `goals` by task in words.

    Raises ValueError for more than `max_states` states; TypeError or ValueError for any other kind of argument.
    """
    validate.instance("explored", explored, Exploration, "what explore returns")
    validate.whole_number("max_states", max_states, 1, 10**9)
    for task, goal in validate.mapping("goals", {} if goals is None else goals, "tests by task in words", 0).items():
        validate.function(f"goals[{task!r}]", goal, A_PREDICATE, 1)
    if len(explored) > max_states:
        raise ValueError(f"explored may have at most max_states={max_states:,} states here, not {len(explored):,}")
    return _Tables(explored).data(goals or {})


class _Table:
    """Distinct rows, numbered in order of first use."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}
        self.rows: list[Any] = []

    def number(self, key: Any, row: Any) -> int:
        number = self.numbers.setdefault(key, len(self.rows))
        if number == len(self.rows):
            self.rows.append(row)
        return number


class _Tables:
    def __init__(self, explored: Exploration) -> None:
        self.explored = explored
        self.model = explored.model
        self.shared, self.locations, self.steps, self.sources = _Table(), _Table(), _Table(), _Table()
        self.variables = _Table()

    def data(self, goals: Mapping[str, Predicate]) -> dict[str, Any]:
        states = [self._state(number) for number in range(len(self.explored))]
        outcomes = sorted(self.explored.outcomes, key=lambda outcome: -self.explored.outcomes[outcome])
        return {
            "name": self.model.scenario.name,
            "grain": self.model.grain,
            "invariant": self.model.scenario.invariant is not None,
            "processes": [{"name": name} for name in self.model.names],
            "objects": [{"name": one.name, "kind": one.kind} for one in self.model.semantics],
            "sources": self.sources.rows,
            "shared": self.shared.rows,
            "locations": self.locations.rows,
            "steps": self.steps.rows,
            "states": states,
            "outcomes": [self._outcome(outcome) for outcome in outcomes],
            "ends": self._ends(states, outcomes),
            "deadlock": {
                "schedules": str(self.explored.deadlocks),
                "coin": float(self.explored.probability(deadlock, "coin")),
            },
            "orders": {"schedules": str(self.explored.schedules), "distinct": self._distinct_orders()},
            "goals": [{"task": task, "states": self._reached(goal)} for task, goal in goals.items()],
        }

    def _state(self, number: int) -> list:
        state = self.explored[number]
        values = [repr(value) for value in state.shared.values()]
        holders = [list(state.holders.get(one.name, ())) for one in self.model.semantics]
        shared = self.shared.number(
            (state.values, state.violated), {"values": values, "holders": holders, "violated": state.violated}
        )
        successors = self.explored.successors(number)
        touches = self.explored.touches(number)
        steps = [
            None if touched is None else self._step(state.step(process), *touched)
            for process, touched in enumerate(touches)
        ]
        return [shared, [self._location(location) for location in state.locations], successors, steps]

    def _location(self, location: Location) -> int:
        row = {
            "ended": location.ended,
            "error": location.error,
            "variables": location.variables,
            "depth": location.depth,
            "doing": self._doing(location.access),
        }
        if not location.ended and location.source:
            access = location.access
            row["source"] = self._source(location.source)
            row["line"] = location.source.line
            row["object"] = access and access.slot
            row["waits_for"] = self.model.semantics[access.slot].waits_for(access.verb) if access else ""
        return self.locations.number(location, row)

    def _doing(self, access: Access | None) -> str:
        if access is None:
            return ""
        used = self.model.semantics[access.slot]
        item = f"[{access.arguments[0]!r}]" if used.kind == "dict" and access.arguments else ""
        return f"{access.verb} {used.name}{item}"

    def _step(self, step: Step, looks_at: frozenset[int], may_change: frozenset[int]) -> int:
        touches = [
            [self.variables.number(access.variable, access.variable), access.verb in READS, access.verb in WRITES]
            for access, _ in step.done
            if access.verb in READS | WRITES
        ]
        depends = {"looks_at": sorted(looks_at), "may_change": sorted(may_change)}
        row = {"label": step.label, "saw": list(step.saw), "touches": touches, **depends}
        return self.steps.number((step.label, step.saw, step.done, looks_at, may_change), row)

    def _source(self, source: SourceLine) -> int:
        key = source[:3]
        if key in self.sources.numbers:
            return self.sources.numbers[key]
        lines = inspect.getblock(linecache.getlines(source.file)[source.first_line - 1 :])
        text = [line.rstrip("\n") for line in lines]
        row = {"function": source.function, "first_line": source.first_line, "lines": text}
        return self.sources.number(key, row)

    def _outcome(self, outcome: Any) -> dict[str, Any]:
        explored = self.explored
        count = explored.outcomes[outcome]
        uniform = float(explored.probability(outcome)) if isinstance(explored.schedules, int) else None
        coin = float(explored.probability(outcome, "coin"))
        return {"text": str(outcome), "schedules": str(count), "uniform": uniform, "coin": coin}

    def _distinct_orders(self) -> str | None:
        count = self.explored.distinct_orders_within(MAX_ORDER_CASES)
        return None if count is None else str(count)

    def _ends(self, states: list[list], outcomes: list) -> dict[str, int | None]:
        ends = {}
        for number, (_, _, successors, _) in enumerate(states):
            if not any(after is not None for after in successors):
                state = self.explored[number]
                ends[str(number)] = outcomes.index(state.outcome) if state.finished else None
        return ends

    def _reached(self, goal: Predicate) -> list[int]:
        return [number for number in range(len(self.explored)) if goal(self.explored[number])]

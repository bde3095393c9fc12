"""A state graph as plain data, ready for JSON: an explorer can go on with it without Python."""

import inspect
import linecache
from typing import Any

from helpers.scheduling.model.exploration import Exploration
from helpers.scheduling.model.model import Step
from helpers.scheduling.model.worker_graph import Place, SourceLine

MOST_STATES = 5_000


def graph_data(explored: Exploration, max_states: int = MOST_STATES) -> dict[str, Any]:
    """Return an explored scenario as dicts, lists, strings and numbers. Tables refer to each other by index.

    name, grain: of the scenario.
    processes: list of {name}.
    objects: list of {name, kind} of the shared objects.
    sources: list of {function, first_line, lines}: the functions in which steps begin.
    shared: list of {values: text of each object, holders: numbers of the processes that hold each object, violated}.
    places: where a process can stand: {ended, error, variables: name -> text, and unless ended: source, line: where
        the next step begins, object: what it uses first (None for nothing), waits_for: words for while it cannot}.
    steps: list of {label, saw: list of words, accesses: list of [object, verb]}.
    states: list of [shared, [place of each process], [next state or None for each process], [step or None for each]].
        State 0 is the start. A state without next states is an end; a process that has not ended and has no next
        state is blocked, and the holders of the object of its place hold it.
    outcomes: list of {text, schedules: str, uniform: float or None, coin: float}, most schedules first.
    ends: for each state that is an end, by its index as a string: the index of its outcome, None for a deadlock.

    Raises ValueError for more than `max_states` states.
    """
    if len(explored) > max_states:
        raise ValueError(f"explored may have at most max_states={max_states:,} states here, not {len(explored):,}")
    return _Tables(explored).data()


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
        self.shared, self.places, self.steps, self.sources = _Table(), _Table(), _Table(), _Table()

    def data(self) -> dict[str, Any]:
        states = [self._state(number) for number in range(len(self.explored))]
        outcomes = sorted(self.explored.outcomes, key=lambda outcome: -self.explored.outcomes[outcome])
        return {
            "name": self.model.scenario.name,
            "grain": self.model.grain,
            "processes": [{"name": name} for name in self.model.names],
            "objects": [{"name": rule.name, "kind": rule.kind} for rule in self.model.rules],
            "sources": self.sources.rows,
            "shared": self.shared.rows,
            "places": self.places.rows,
            "steps": self.steps.rows,
            "states": states,
            "outcomes": [self._outcome(outcome) for outcome in outcomes],
            "ends": self._ends(states, outcomes),
        }

    def _state(self, number: int) -> list:
        state = self.explored[number]
        values = [repr(value) for value in state.shared.values()]
        holders = [list(state.holders.get(rule.name, ())) for rule in self.model.rules]
        shared = self.shared.number(
            (state.values, state.violated), {"values": values, "holders": holders, "violated": state.violated}
        )
        successors = self.explored.successors(number)
        steps = [None if after is None else self._step(state.step(process)) for process, after in enumerate(successors)]
        return [shared, [self._place(place) for place in state.places], successors, steps]

    def _place(self, place: Place) -> int:
        row: dict[str, Any] = {"ended": place.ended, "error": place.error, "variables": place.variables}
        if not place.ended:
            access = place.access
            row["source"] = self._source(place.source)
            row["line"] = place.source.line
            row["object"] = access and access.slot
            row["waits_for"] = self.model.rules[access.slot].hope(access.verb) if access else ""
        return self.places.number(place, row)

    def _step(self, step: Step) -> int:
        accesses = [[access.slot, access.verb] for access, _ in step.done]
        row = {"label": step.label, "saw": list(step.saw), "accesses": accesses}
        return self.steps.number((step.label, step.saw, step.done), row)

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

    def _ends(self, states: list[list], outcomes: list) -> dict[str, int | None]:
        ends = {}
        for number, (_, _, successors, _) in enumerate(states):
            if not any(after is not None for after in successors):
                state = self.explored[number]
                ends[str(number)] = outcomes.index(state.outcome) if state.finished else None
        return ends

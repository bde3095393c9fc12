"""Very many states in little memory: each is one whole number, with a field for each location and each value.

A step changes a few fields only, so it is one number too, which is added. And it depends on a few fields only: the
location of its process and the values of the objects that it looked at. So it is remembered under these, and found
again in all states that are alike there, whatever is in the rest.
"""

import sys
import time
from array import array
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from helpers.scheduling.model.model import Model

NONE = -1  # in place of a state that is not there
_SEEN_AT_MOST = 50_000  # steps of a process that are found at one go
_CHUNK = 1024  # states between two looks at the limits
_LOCATION_WIDTH, _VALUE_WIDTH = 12, 8  # bits of a field at the start; it doubles when it is full
_NUMBER = 32  # bytes that a whole number takes, for one that is not too large


_Moves = tuple[int, dict[int, list[tuple[int, dict[int, tuple[int, int]]]]]]


class Progress(NamedTuple):
    """How far an exploration is."""

    states: int  # found so far
    unexplored: int  # of them: whose steps are not known yet
    bytes: int  # that they take, about
    seconds: float
    estimate: int | None  # how many states there may be in all, by how the number of new ones grows; None: no idea


class Full(Exception):
    """There are more states than may be kept."""


class _FieldFull(Exception):
    """A field has become too narrow."""


class StateStore:
    """The states of a model, numbered in order of distance from the start, and the steps between them."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.columns = len(model.names)
        start = model.start
        things = (*start.locations[: len(model.graphs)], *start.values)
        self._things: list[list[Any]] = [[thing] for thing in things]  # of each field, by their number
        self._numbers: list[dict[Any, int]] = [{thing: 0} for thing in things]
        self._widths = [_LOCATION_WIDTH] * len(model.graphs) + [_VALUE_WIDTH] * len(start.values)
        self.states: list[int] = [int(start.violated)]  # bit 0: the invariant was violated
        self.targets = array("i")  # for each state and process the state after its step, NONE where there is none
        self.parents = array("i", [NONE])
        self.goes_forward = True  # each step leads to a state with a higher number
        self._known = {self.states[0]: 0}  # state -> its number
        self._levels = [0]  # numbers of the first states at each distance
        self._lay_out()

    def _lay_out(self) -> None:
        """Place the fields; forget the steps that were remembered in another layout."""
        self._shifts, shift = [], 1
        for width in self._widths:
            self._shifts.append(shift)
            shift += width
        self._masks = [(1 << width) - 1 << at for width, at in zip(self._widths, self._shifts, strict=True)]
        workers = len(self.model.graphs)
        self._values_mask = sum(self._masks[workers:])
        locations = self._masks[:workers] + [0] * (self.columns - workers)
        # for each process: (mask of its location,
        #     location -> [(mask of what a step depends on, that -> (mask of what it changes, what it puts there))])
        self._moves: list[_Moves] = [(mask, {}) for mask in locations]
        # for each process: mask of all that any of its steps depends on, and that -> change: found at one go
        self._seen: list[dict[int, int]] = [{} for _ in locations]
        self._at_one_go = [(mask, seen.get) for mask, seen in zip(locations, self._seen, strict=True)]
        self._violated: dict[int, int] = {}  # values -> 1 where the invariant does not hold, else 0

    def read(self, state: int) -> tuple[tuple, tuple, bool]:
        """Return the locations of the processes, the values of the objects, and whether the invariant was violated."""
        fields = zip(self._things, self._masks, self._shifts, strict=True)
        things = tuple([known[(state & mask) >> shift] for known, mask, shift in fields])
        workers = len(self.model.graphs)
        return things[:workers] + self.model.start.locations[workers:], things[workers:], bool(state & 1)

    def grow(
        self, max_states: int | None, max_bytes: int, report: Callable[[Progress], None] | None, every: float
    ) -> None:
        """Find all states. Raises Full for more than `max_states` of them, or more than fit into `max_bytes`."""
        began = reported = time.monotonic()
        while (done := len(self.targets) // self.columns) < len(self.states):
            try:
                self._expand(done, min(done + _CHUNK, len(self.states)))
            except _FieldFull:
                del self.targets[len(self.targets) // self.columns * self.columns :]
            self._note_level(len(self.targets) // self.columns)
            if (max_states and len(self.states) > max_states) or self.bytes > max_bytes:
                raise Full
            now = time.monotonic()
            if report and now - reported >= every:
                report(self.progress(now - began))
                reported = now
        if report:
            report(self.progress(time.monotonic() - began))
        # it was needed to recognise states; what is kept is for looking at them
        self._known = {}

    def _expand(self, first: int, last: int) -> None:
        """Note the steps of some states. This is where the time goes: measure whatever you change here."""
        states, known, parents, add_target = self.states, self._known, self.parents, self.targets.append
        violated = self._violated if self.model.scenario.invariant else None
        count = len(states)
        at_one_go = self._at_one_go
        for number in range(first, last):
            state = states[number]
            for process, (mask, seen) in enumerate(at_one_go):
                change = seen(state & mask)
                if change is None:
                    change = self._find(process, state)
                if not change:
                    add_target(NONE)
                    continue
                after = state + change
                if violated is not None:
                    values = after & self._values_mask
                    after |= violated[values] if values in violated else self._ask(values)
                target = known.setdefault(after, count)
                if target == count:
                    states.append(after)
                    parents.append(number)
                    count += 1
                elif target <= number:
                    self.goes_forward = False
                add_target(target)

    def _find(self, process: int, state: int) -> int:
        """Return the change that a step makes, 0 for none, where it was not found at one go; note it there."""
        location, moves = self._moves[process]
        for mask, changes in moves.get(state & location, ()):
            if (found := changes.get(state & mask)) is not None:
                break
        else:
            found = self._learn(process, state)
        cleared, put = found
        change = (state & ~cleared | put) - state
        seen = self._seen[process]
        if len(seen) < _SEEN_AT_MOST:
            seen[state & self._at_one_go[process][0]] = change
        return change

    def _learn(self, process: int, state: int) -> tuple[int, int]:
        """Take a step in the model, and remember it under what it depends on; return what it clears and puts there."""
        locations, values, _ = self.read(state)
        move, slots = self.model.look(process, locations[process], values, locations)
        workers = len(self.model.graphs)
        cleared = put = 0
        if move:
            overwritten = {access.slot for access, _ in move.done} - slots
            fields = [
                workers + slot
                for slot, before in enumerate(values)
                if slot in overwritten or (before is not move.values[slot] and before != move.values[slot])
            ]
            things = [move.values[field - workers] for field in fields]
            if process < workers:
                fields, things = [process, *fields], [move.location, *things]
            cleared = sum(self._masks[field] for field in fields)
            put = sum(self._placed(field, thing) for field, thing in zip(fields, things, strict=True))
        location, moves = self._moves[process]
        mask = location | sum(self._masks[workers + slot] for slot in slots)
        rows = moves.setdefault(state & location, [])
        changes = next((changes for other, changes in rows if other == mask), None)
        if changes is None:
            changes = {}
            rows.append((mask, changes))
        # the difference that a step makes depends on what it overwrites too
        everything, wanted = self._at_one_go[process][0], mask | cleared
        if wanted & ~everything:
            self._seen[process] = {}
            self._at_one_go[process] = everything | wanted, self._seen[process].get
        changes[state & mask] = cleared, put
        return cleared, put

    def _placed(self, field: int, thing: Hashable) -> int:
        """Return the bits that stand for a thing in a field."""
        numbers = self._numbers[field]
        number = numbers.get(thing)
        if number is None:
            number = numbers[thing] = len(numbers)
            self._things[field].append(thing)
        if number >> self._widths[field]:
            self._widen(field)
            raise _FieldFull
        return number << self._shifts[field]

    def _widen(self, field: int) -> None:
        """Make room for more in a field, in all states."""
        width, cut = self._widths[field], self._shifts[field] + self._widths[field]
        low = (1 << cut) - 1
        self.states[:] = [(state >> cut << cut + width) | (state & low) for state in self.states]
        self._known = dict(zip(self.states, range(len(self.states)), strict=True))
        self._widths[field] *= 2
        self._lay_out()

    def _ask(self, values: int) -> int:
        """Ask the invariant of values, and remember the answer."""
        answer = self._violated[values] = int(not self.model.is_well(self.read(values)[1]))
        return answer

    def depends_on(self, process: int, state: int) -> tuple[int, int]:
        """Return what a step depends on, as a key: the mask of the fields, and what is in them."""
        location, moves = self._moves[process]
        return next((mask, state & mask) for mask, changes in moves[state & location] if state & mask in changes)

    @property
    def bytes(self) -> int:
        """How much memory the states and steps take, about."""
        count = len(self.states)
        tables = sys.getsizeof(self.states) + sys.getsizeof(self._known)
        steps = sys.getsizeof(self.targets) + sys.getsizeof(self.parents)
        return tables + steps + count * (sys.getsizeof(self.states[-1]) + (_NUMBER if self._known else 0))

    def progress(self, seconds: float) -> Progress:
        """Return how far it is, after so many seconds."""
        found = len(self.states)
        unexplored = found - len(self.targets) // self.columns
        return Progress(found, unexplored, self.bytes, seconds, self._estimate() if unexplored else found)

    def _note_level(self, done: int) -> None:
        if done >= self._levels[-1]:
            self._levels.append(len(self.states))

    def _estimate(self) -> int | None:
        """Carry on the growth of the last levels: the ratio of one to the next falls about as fast as it did."""
        sizes = [after - before for before, after in zip(self._levels, self._levels[1:], strict=False)][-8:]
        if len(sizes) < 8 or not all(sizes):
            return None
        first, last = sizes[3] / sizes[0], sizes[7] / sizes[4]
        if last >= first:
            return None
        total, size, ratio, fall = len(self.states), float(sizes[-1]), last ** (1 / 3), (last / first) ** (1 / 12)
        while size >= 1 and total < 1e12:
            ratio *= fall
            size *= ratio
            total += int(size)
        return int(total)

"""What can go on for ever: whether a process can be kept from its end although the others go on.

A scheduler that never takes a step of a process can keep it from anything; that proves nothing. So only schedules count
that are *weakly fair*: a process that could always take a step takes one in the end. A process that waits for an
object is kept waiting by them only if the object is taken again and again, or never free.

Such a schedule has a way into a loop of states, and goes round in it. It is fair if each process either takes a step in
the loop, or cannot take one somewhere in it. The loop exists if there is a strongly connected component with these
states and steps, which is where it is looked for.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from helpers import validate
from helpers.scheduling.model.components import components
from helpers.scheduling.model.exploration import A_PREDICATE, Exploration, Predicate


class Starvation(NamedTuple):
    """A weakly fair schedule without end in which a process never gets where it should: a way, then a loop for ever."""

    way: list[int]  # process numbers of the steps to the loop
    loop: list[int]  # process numbers of the steps in it


def starves(explored: Exploration, process: int, progress: Predicate | None = None) -> Starvation | None:
    """Return how a process can be kept from its end for ever, though the scheduler is weakly fair; None: it cannot.

    None is a proof. With `progress`, a test of a state, the question is whether states can be avoided for ever for
    which it holds: for a process that goes round by design. A deadlock, where nobody goes on, is no starvation.

    Raises TypeError or ValueError for what is no exploration, no number of a process in it, or no test of a state.
    """
    validate.instance("explored", explored, Exploration, "what explore returns")
    validate.whole_number("process", process, 0, len(explored.model.graphs) - 1)
    if progress is not None:
        validate.function("progress", progress, f"{A_PREDICATE}, or None", 1)
    if explored.has_no_loops:
        return None
    without = {number for number in range(len(explored)) if not _is_there(explored, number, process, progress)}

    def following(number: int) -> list[int]:
        return [after for after in explored.successors(number) if after in without]

    for found in components(sorted(without), following):
        inside = set(found)
        if any(after in inside for after in following(found[0])) and _is_fair(explored, inside):
            return Starvation(explored.schedule_to(min(inside)), _round(explored, inside))
    return None


def _is_there(explored: Exploration, number: int, process: int, progress: Predicate | None) -> bool:
    state = explored[number]
    return progress(state) if progress else state.locations[process].ended


def _is_fair(explored: Exploration, inside: set[int]) -> bool:
    return all(_witness(explored, inside, process) is not None for process in range(len(explored.model.names)))


def _witness(explored: Exploration, inside: Iterable[int], process: int) -> tuple[int, int | None] | None:
    """Return a state where a process cannot take a step, or one and the state after its step, if both are inside."""
    for number in sorted(inside):
        after = explored.successors(number)[process]
        if after is None or after in inside:
            return number, after
    return None


def _round(explored: Exploration, inside: set[int]) -> list[int]:
    """Return a way round, from the first state back to it, that is fair to every process."""
    first = at = min(inside)
    way: list[int] = []
    for process in range(len(explored.model.names)):
        witness = _witness(explored, inside, process)
        assert witness is not None, "the states are fair to every process"
        number, after = witness
        way += _path(explored, inside, at, number)
        at = number
        if after is not None:
            way.append(process)
            at = after
    back = _path(explored, inside, at, first)
    if not way and not back:
        # a loop has at least one step
        process, after = next((p, a) for p, a in enumerate(explored.successors(first)) if a in inside)
        back = [process, *_path(explored, inside, after, first)]
    return way + back


def _path(explored: Exploration, inside: set[int], start: int, end: int) -> list[int]:
    """Return the shortest schedule from one state to another that stays inside."""
    came_from: dict[int, tuple[int, int]] = {}
    waiting = deque([start])
    while waiting and end not in came_from and start != end:
        number = waiting.popleft()
        for process, after in enumerate(explored.successors(number)):
            if after in inside and after not in came_from and after != start:
                came_from[after] = number, process
                waiting.append(after)
    schedule = []
    while end != start:
        end, process = came_from[end]
        schedule.append(process)
    return schedule[::-1]

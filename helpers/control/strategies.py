"""How the schedules of a check are chosen: systematically by preemptions, or by chance."""

import random
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from helpers.control.run import CannotCheck, OutOfTime
from helpers.control.states import Choice, Knowledge, State

__tracebackhide__ = True  # an instrument: never the place where somebody waits

Choose = Callable[[State, list[Choice], int], Choice]

STRATEGIES = ("bounded", "random", "pct", "all")
MOST_PREEMPTIONS = 2  # of the strategy "bounded"
PCT_DEPTH = 3  # priorities change at two random steps


def following(schedule: list[Choice]) -> Choose:
    """Return the choices of a schedule, and after its end those that preempt nobody.

    They raise `CannotCheck` when the schedule is not possible.
    """

    def choose(state: State, options: list[Choice], step: int) -> Choice:
        if step >= len(schedule):
            return state.default(options)
        if schedule[step] not in options:
            raise Diverged(step, schedule[step][0], state.alive)
        return schedule[step]

    return choose


class Diverged(CannotCheck):
    """A run did not go the way that an earlier run of the same schedule went."""

    def __init__(self, step: int, name: str, alive: dict) -> None:
        self.step, self.name = step, name  # the first step is 0
        self.where = ""  # empty where nobody of that name is alive
        if name in alive:
            op = alive[name][1]
            self.where = f"at {op.kind} in line {op.place[1]}" if op.place[1] else f"at {op.kind}"
        at = f", which was {self.where}" if self.where else ""
        super().__init__(f"in step {step + 1} it was the turn of {name}{at}, but it could not go on")


def by_chance(seed: int) -> Callable[[int], Choose]:
    """Return schedules in which everybody who can go on is equally likely to be next."""
    chance = random.Random(seed)
    return lambda _: lambda state, options, step: chance.choice(options)


def by_priority(seed: int) -> Callable[[int], Choose]:
    """Return schedules of probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010).

    Everybody begins with a random priority, and the highest goes on. At two random steps the one whose turn it is
    falls below all others. The argument is the number of steps of an earlier run.
    """
    chance = random.Random(seed)

    def schedule(length: int) -> Choose:
        priorities: dict[str, float] = {}
        changes = dict(
            zip(chance.sample(range(max(length, PCT_DEPTH)), PCT_DEPTH - 1), range(PCT_DEPTH - 1), strict=True)
        )

        def choose(state: State, options: list[Choice], step: int) -> Choice:
            for name in state.names:
                if name not in priorities:
                    priorities[name] = PCT_DEPTH + chance.random()
            # who only looks again and again would keep the turn for ever
            for name, late in options:
                if not late and state.alive[name][1].yields:
                    priorities[name] = -chance.random()
            highest = max(options, key=lambda option: priorities[option[0]])
            if step in changes:
                priorities[highest[0]] = changes[step] / PCT_DEPTH
            return max(options, key=lambda option: priorities[option[0]])

        return choose

    return schedule


@dataclass(eq=False)
class _Node:
    """A state that was reached, and how."""

    state: State
    before: "_Node | None" = None
    choice: Choice | None = None

    def path(self) -> list[Choice]:
        """Return the schedule that leads here."""
        path: list[Choice] = []
        node: _Node | None = self
        while node and node.choice:
            path.append(node.choice)
            node = node.before
        return path[::-1]


class Search:
    """All schedules with no preemption, then with one, and so on up to `most`.

    Two schedules that lead to the same state go on from there as one. A step that was seen in such a state is known,
    and only steps that are not known are run; the run goes on to the end of the program, so that it teaches more.
    """

    def __init__(self, knowledge: Knowledge, start: State, most: float, until: float) -> None:
        self.knowledge = knowledge
        self.until = until
        self.most = most
        self.exhausted: int | None = None  # as `Result.exhausted`
        self._seen: set[Hashable] = set()
        # states to look at, and the choices there that are still to be followed, by the preemptions they take
        self._nodes: dict[int, deque[_Node]] = {0: deque([_Node(start)])}
        self._edges: dict[int, deque[tuple[_Node, Choice]]] = {0: deque()}
        self._asked: list[Choice] | None = None

    @property
    def states(self) -> int:
        """How many states were reached."""
        return len(self._seen)

    def next_schedule(self) -> list[Choice] | None:
        """Return a schedule whose last step is not known, to be run before the next call; None when all are known.

        Raises OutOfTime once it is later than `until` (s on the monotonic clock).
        """
        while self._edges:
            cost = min(self._edges)
            if cost > self.most:
                return None
            nodes, edges = self._nodes.setdefault(cost, deque()), self._edges[cost]
            while nodes or edges:
                if time.monotonic() > self.until:
                    raise OutOfTime
                if nodes:
                    if not self._look_at(nodes[0], cost):
                        return self._unknown(nodes[0].path())
                    nodes.popleft()
                else:
                    node, choice = edges[0]
                    state = self.knowledge.successor(node.state, choice)
                    if state is None:
                        return self._unknown([*node.path(), choice])
                    edges.popleft()
                    nodes.append(_Node(state, node, choice))
            del self._edges[cost]
            self.exhausted = cost
        # no schedule has more preemptions than these, so all of them were tried
        self.exhausted = max(self.exhausted or 0, MOST_PREEMPTIONS)
        return None

    def _look_at(self, node: _Node, cost: int) -> bool:
        """Note what can follow on a state; False if that is not known, or has to be seen."""
        if (key := node.state.key()) in self._seen:
            return True
        options = node.state.options(self.knowledge.answers)
        if options is None or (not options and node.state.alive):
            # a deadlock that follows from what is known is to be seen as well
            return False
        self._seen.add(key)
        for choice in options:
            total = cost + node.state.cost(choice, options)
            self._edges.setdefault(total, deque()).append((node, choice))
        return True

    def _unknown(self, schedule: list[Choice]) -> list[Choice]:
        if schedule == self._asked:
            raise CannotCheck("the same schedule did not lead to the same steps again")
        self._asked = schedule
        return schedule

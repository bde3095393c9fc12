"""Plain enumeration of schedules: every schedule is run from its start, and nothing is merged."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress

from helpers.scheduling.model.model import Model
from helpers.scheduling.program.handles import SharedObjects
from helpers.scheduling.program.semantics import Access

DEADLOCK = "deadlock"


class Run:
    """One execution of a scenario in a single process."""

    def __init__(self, model, grain):
        self.model = model
        self.grain = grain
        self.is_over = False
        self.shared_objects = SharedObjects()
        self.shared_objects.perform = self.perform
        self.workers = model.scenario.build(self.shared_objects)
        self.values = [declared.start for declared in self.shared_objects.semantics]
        everyone = range(len(self.workers))
        self.generators = [None for _ in everyone]
        self.results = [[] for _ in everyone]
        self.yields = [0 for _ in everyone]
        self.ended = [False for _ in everyone]
        self.errors = ["" for _ in everyone]

    def perform(self, access: Access):
        """Repeat a result that the process has had already, or carry out an access."""
        if self.is_over:
            # a `finally` of a worker that was stopped
            raise Stopped
        results = self.results[self.process]
        if self.repeated < len(results):
            self.repeated += 1
            return results[self.repeated - 1]
        if self.grain == "access" and self.accesses:
            self.is_over = True
            raise Stopped
        method = getattr(self.shared_objects.semantics[access.slot], access.verb)
        effect = method(self.values[access.slot], self.process, *access.arguments)
        if effect is None:
            self.is_over = self.is_blocked = True
            raise Stopped
        result, self.values[access.slot] = effect
        self.repeated += 1
        self.accesses += 1
        results.append(result)
        return result

    def step(self, process):
        """Let a process take a step; False if it cannot."""
        if self.ended[process]:
            return False
        self.is_over = self.is_blocked = False
        self.process, self.accesses, self.repeated = process, 0, len(self.results[process])
        skip = 0
        if self.generators[process] is None:
            worker, arguments = self.workers[process]
            self.generators[process] = worker(*arguments)
            self.repeated, skip = 0, self.yields[process]
        try:
            for _ in range(skip + 1):
                next(self.generators[process])
            self.yields[process] += 1
            return True
        except Stopped:
            self.generators[process] = None
            return not self.is_blocked
        except StopIteration:
            self.ended[process] = True
        except Exception as error:
            self.ended[process] = True
            self.errors[process] = f"{type(error).__name__}: {error}"
        return self.accesses > 0

    def close(self):
        """End the workers, whose `finally` must not reach the shared objects."""
        self.is_over = True
        for generator in filter(None, self.generators):
            with suppress(Stopped):
                generator.close()

    def end(self):
        """Return the outcome, or DEADLOCK."""
        if not all(self.ended):
            return DEADLOCK
        return self.model.crash(self.errors) or self.model.outcome(self.model.shared(tuple(self.values)))


class Stopped(BaseException):
    """Ends a step before its second access, or one that has to wait."""


def enumerate_schedules(scenario, grain="step") -> Iterator[tuple[list[int], object]]:
    """Yield every complete schedule, in lexical order, with its outcome or DEADLOCK."""
    model = Model(scenario, grain)
    schedule: list[int] = []
    lowest = 0  # the lowest process that has not been tried after this schedule
    while True:
        with closing(Run(model, grain)) as run:
            for process in schedule:
                assert run.step(process)
            is_new = lowest == 0
            while (process := next((p for p in range(lowest, len(model.names)) if run.step(p)), None)) is not None:
                schedule.append(process)
                lowest, is_new = 0, True
            if is_new:
                yield list(schedule), run.end()
        if not schedule:
            return
        lowest = schedule.pop() + 1


def count_outcomes(scenario, grain="step"):
    """Return how many schedules there are with each outcome."""
    return Counter(outcome for _, outcome in enumerate_schedules(scenario, grain))

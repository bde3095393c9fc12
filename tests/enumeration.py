"""Plain enumeration of schedules: every schedule is run from its start, and nothing is merged."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress

from helpers.scheduling.model.model import Model
from helpers.scheduling.program.handles import SharedObjects, begin
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
        workers = model.scenario.build(self.shared_objects)
        self.workers = [(*pair, None) for pair in workers]
        self.workers += [(worker, arguments, own.slot) for own, worker, arguments in self.shared_objects.children]
        for number, (_, _, slot) in enumerate(self.workers):
            if slot is not None:
                self.shared_objects.semantics[slot].setting = number
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
        semantics = self.shared_objects.semantics[access.slot]
        if self.accesses and (self.grain == "access" or semantics.may_wait(access.verb, access.arguments)):
            self.is_over = True
            raise Stopped
        effect = getattr(semantics, access.verb)(self.values[access.slot], self.process, *access.arguments)
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
        if process >= len(self.workers):
            return self.step_of_party(self.model.parties[process - len(self.workers)], process)
        slot = self.workers[process][2]
        if self.ended[process] or (slot is not None and self.values[slot] == "killed"):
            return False
        self.is_over = self.is_blocked = False
        self.process, self.accesses, self.repeated = process, 0, len(self.results[process])
        skip = 0
        if self.generators[process] is None:
            worker, arguments, child = self.workers[process]
            self.generators[process] = begin(self.shared_objects, worker, self.shared_objects.pack(arguments), child)
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
        except (Exception, SystemExit) as error:
            self.ended[process] = True
            self.errors[process] = f"{type(error).__name__}: {error}"
        return self.accesses > 0

    def step_of_party(self, party, number):
        """Let somebody take a step who is no worker."""
        slot, verb, arguments = party.access
        effect = getattr(self.shared_objects.semantics[slot], verb)(self.values[slot], number, *arguments)
        if effect is not None:
            _, self.values[slot] = effect
        return effect is not None

    def close(self):
        """End the workers, whose `finally` must not reach the shared objects."""
        self.is_over = True
        for generator in filter(None, self.generators):
            with suppress(Stopped):
                generator.close()

    def end(self):
        """Return the outcome, or DEADLOCK."""
        rests = (
            ended or self.model.endless[process] or (slot is not None and self.values[slot] in ("new", "killed"))
            for process, (ended, (_, _, slot)) in enumerate(zip(self.ended, self.workers, strict=True))
        )
        if not all(rests):
            return DEADLOCK
        errors = [*self.errors, *("" for _ in self.model.parties)]
        return self.model.crash(errors) or self.model.outcome(self.model.shared(tuple(self.values)))


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

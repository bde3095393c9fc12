"""A schedule on real processes, one step at a time, held against the model at every step."""

import os
import pickle
import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from helpers import validate
from helpers.recording.kinds import EventKind, Outcome
from helpers.recording.trace import Event, Message, ProcessInfo, Trace
from helpers.scheduling.model.lost_updates import lost_updates
from helpers.scheduling.model.model import Done, Model, State, Step
from helpers.scheduling.program.scenario import Build, Scenario
from helpers.scheduling.program.semantics import DATA, Kind, Timeout
from helpers.scheduling.real.worker_main import Report
from helpers.scheduling.real.worker_pool import WorkerPool, known_graphs, pool_for

_PATIENCE = 2.0  # seconds that a step which the model allows may take to get what it waits for
_SHORT_PATIENCE = 0.05  # seconds that a process in a deadlock waits, so that the waiting can be seen
# verb of an object -> kind of event in the trace
_KINDS = {
    "acquire": EventKind.ACQUIRE,
    "release": EventKind.RELEASE,
    "sleep": EventKind.RELEASE,
    "wake": EventKind.WAIT,
    "notify": EventKind.NOTIFY,
    "arrive": EventKind.RELEASE,
    "leave": EventKind.WAIT,
    "put": EventKind.PUT,
    "get": EventKind.GET,
    "send": EventKind.SEND,
    "recv": EventKind.RECV,
}
_MEETINGS = {EventKind.PUT: EventKind.GET, EventKind.SEND: EventKind.RECV}


class ModelMismatch(Exception):
    """Real processes did something else than the model."""


@dataclass(frozen=True)
class Replay:
    """A schedule that was carried out on real processes, which did in each step what the model says."""

    steps: list[Step]  # what each step did and saw; lost updates are marked in the trace
    outcome: Hashable  # computed from the real objects' final values; None if a process had not ended
    state: State  # the last one
    trace: Trace  # one lane per worker, in their order; an event of kind "step" per step


def replay(
    scenario: Scenario | Build, schedule: list[int], method: str = "spawn", grain: str = "step", deadline: float = 10.0
) -> Replay:
    """Carry out a schedule, complete or not, on real processes with real multiprocessing objects, one step at a time.

    A schedule is a list of process numbers, such as `Exploration.shortest` returns. The processes end with the call;
    inside `with keep_workers():` they are kept for the next one. In a deadlock each process tries, for a moment, to
    get what it waits for.

    Raises ValueError for a schedule that is not possible or an unknown start method; TypeError for a worker that other
    processes cannot import; ModelMismatch when model and reality differ; ProcessesFailed (see
    `helpers.supervision.supervisor`) after `deadline` seconds, within a `keep_workers` block too, which then goes on.
    """
    validate.start_method(method)
    model = Model(scenario, grain, known_graphs())
    steps = model.follow(schedule)
    with pool_for(model, method, deadline) as pool:
        return _ReplayRun(model, steps, pool).run()


class _ReplayRun:
    """One replay on a pool that is ready for it."""

    def __init__(self, model: Model, steps: list[Step], pool: WorkerPool) -> None:
        self.model = model
        self.steps = steps
        self.pool = pool
        self.last = steps[-1].state if steps else model.start
        self.reports: list[Report] = []
        self.waits: list[tuple[int, Report]] = []

    def run(self) -> Replay:
        begin = time.perf_counter_ns()
        self.pool.assign(self.model)
        for answer in self._answers():
            self._compare(Report.received(answer))
        outcome = self._end()
        return Replay(self.steps, outcome, self.last, self._trace(begin, time.perf_counter_ns()))

    def _answers(self) -> Iterator[bytes]:
        """Let the processes take their steps; yield each answer while the next step is on its way.

        What has to be done between two steps is done before or after, as it takes as long as a message.
        """
        pool, turns = self.pool, [step.process for step in self.steps]
        commands = [
            pool.command(step.process, _PATIENCE, step.state.locations[step.process].ended) for step in self.steps
        ]
        answer = None
        for process, command in zip(turns, commands, strict=True):
            is_party = process >= len(self.model.graphs)
            if not is_party:
                pool.send(process, command)
            if answer is not None:
                yield answer
            answer = self._step_of_party(process) if is_party else pool.receive(process)
        if answer is not None:
            yield answer

    def _step_of_party(self, number: int) -> bytes:
        """Do what happens without a worker; return a report of it, as a worker's."""
        access = self.model.parties[number - len(self.model.graphs)].access
        begin = time.perf_counter_ns()
        result = getattr(self.pool.objects[access.slot], access.verb)(_PartyRun(number), *access.arguments)
        end = time.perf_counter_ns()
        return pickle.dumps((begin, end, [(tuple(access), result, begin, end)], None, True, "", False))

    def _compare(self, report: Report) -> None:
        index = len(self.reports)
        step = self.steps[index]
        self.reports.append(report)
        if report.blocked:
            self._differ(f"schedule[{index}]", step.process, "waits in vain", step.label)
        done = tuple(Done(timed.access, timed.result) for timed in report.done)
        label = self.model.label(report.note, done, report.error)
        if (done, label) != (step.done, step.label):
            real = f"{label} ({', '.join(self.model.text(*one) for one in done)})"
            self._differ(f"schedule[{index}]", step.process, real, f"{step.label} ({', '.join(step.saw)})")
        if report.ended != step.state.locations[step.process].ended:
            self._differ(f"schedule[{index}]", step.process, *self._how_it_went_on(report.ended))

    @staticmethod
    def _how_it_went_on(ended: bool) -> tuple[str, str]:
        return ("ends", "goes on") if ended else ("goes on", "ends")

    def _end(self) -> Hashable:
        over = {step.process for step, report in zip(self.steps, self.reports, strict=True) if report.ended}
        if self.last.deadlocked:
            over |= self._wait_in_vain()
        for process in set(range(len(self.model.graphs))) - over:
            self.pool.abandon(process)
        return self._outcome()

    def _wait_in_vain(self) -> set[int]:
        """Let those whom the model says are blocked try, all at once; return their numbers."""
        model, last = self.model, self.last
        blocked = {
            wait.process
            for wait in last.waiting
            if model.must_wait(wait.process, last.locations[wait.process], last.values)
        }
        for process in blocked:
            self.pool.send(process, self.pool.command(process, _SHORT_PATIENCE, False))
        for process in blocked:
            report = Report.received(self.pool.receive(process))
            if not report.blocked:
                self._differ("the deadlock", process, "got what it waited for", "waits for ever")
            self.waits.append((process, report))
        return blocked

    def _outcome(self) -> Hashable:
        values = {real.semantics.name: real.view() for real in self.pool.objects}
        if values != self.last.shared:
            raise ModelMismatch(
                f"At the end the shared objects are {values} in reality, but {self.last.shared} in the model."
            )
        if not self.last.finished:
            return None
        return self.model.crash([location.error for location in self.last.locations]) or self.model.outcome(values)

    def _differ(self, where: str, process: int, real: str, modelled: str) -> None:
        name = self.model.names[process]
        raise ModelMismatch(f"At {where}, {name}: {real} in reality, but {modelled} in the model.")

    def _trace(self, begin: int, end: int) -> Trace:
        # what happens without a worker happens in this process
        pids = [*(process.pid or 0 for process in self.pool.processes), *(os.getpid() for _ in self.model.parties)]
        processes = [
            ProcessInfo(name, pid, os.getpid(), begin, end) for name, pid in zip(self.model.names, pids, strict=True)
        ]
        lost = set(lost_updates(self.steps))
        events = []
        for index, (step, report) in enumerate(zip(self.steps, self.reports, strict=True)):
            outcome = Outcome.LOST_UPDATE if index in lost else Outcome.RAISED if report.error else Outcome.OK
            what = step.process, EventKind.STEP, report.begin, report.end
            events.append(Event(*what, detail=step.label, outcome=outcome))
            events += self._accesses(step.process, report)
        events += [self._wait(process, report) for process, report in self.waits]
        return Trace(processes, events, _messages(events))

    def _accesses(self, process: int, report: Report) -> list[Event]:
        events = []
        for timed in report.done:
            semantics, verb = self.model.semantics[timed.access.slot], timed.access.verb
            if semantics.kind in DATA or verb not in _KINDS:
                continue
            channel = semantics.name
            if semantics.kind == Kind.PIPE:
                # each direction is a channel of its own
                end: Any = timed.access.arguments[0]
                channel += f" to {1 - end}" if verb == "send" else f" to {end}"
            detail = self.model.text(timed.access, timed.result)
            events.append(Event(process, _KINDS[verb], timed.begin, timed.end, channel, detail))
        return events

    def _wait(self, process: int, report: Report) -> Event:
        wait = next(wait for wait in self.last.waiting if wait.process == process)
        held = " and ".join(self.model.names[holder] for holder in wait.held_by)
        detail = f"waits for {wait.for_what}" + (f", held by {held}" if held else "")
        what = process, EventKind.WAIT, report.begin, report.end
        return Event(*what, wait.channel, detail, outcome=Outcome.NEVER_RETURNED)


class _PartyRun:
    """Somebody who is no worker, and does not wait."""

    is_free = False

    def __init__(self, number: int) -> None:
        self.number = number

    def wait(self, attempt: Callable[[float], bool], timeout: Timeout) -> bool:
        """Make an attempt."""
        return attempt(_PATIENCE)


def _messages(events: list[Event]) -> list[Message]:
    """Pair the n-th put or send on a channel with the n-th get or recv."""
    arrivals: dict[tuple[EventKind, str], list[Event]] = {}
    for event in events:
        arrivals.setdefault((event.kind, event.channel), []).append(event)
    return [
        Message(sent, received)
        for (kind, channel), sendings in arrivals.items()
        if kind in _MEETINGS
        for sent, received in zip(sendings, arrivals.get((_MEETINGS[kind], channel), []), strict=False)
    ]

"""Advice on how processes should communicate: rules over a task, and over what was measured on this machine."""

from collections.abc import Mapping
from dataclasses import dataclass

from helpers import validate
from helpers.measuring.timing import Measurement
from helpers.words import rounded

SHARES = ("messages", "numbers", "dicts and lists")
STATES = {"numbers": "shared memory", "dicts and lists": "Manager"}
WHY = {
    "numbers": "Numbers that all can see belong into shared memory, with a lock around each update.",
    "dicts and lists": "Dicts and lists that all can change need a manager, and a lock of its own.",
}
MOST_PARTIES, LARGEST, MOST_A_SECOND = 64, 100_000_000, 100_000_000
LONGEST = 3600  # s, of what was measured


@dataclass(frozen=True)
class Survey:
    """What was measured on this machine, by the name of the mechanism.

    Raises TypeError or ValueError for anything but dicts of what they are to hold.
    """

    trips: Mapping[str, Measurement]  # round trips
    streams: Mapping[str, Measurement]  # one way
    set_up: Mapping[str, float]  # s
    arrived: Mapping[str, list[int]]  # of messages 1 and 2, after a crash
    updates: Mapping[str, float]  # s an update of shared state

    def __post_init__(self) -> None:
        for name, runs in (("trips", self.trips), ("streams", self.streams)):
            for mechanism, run in validate.mapping(name, runs, "measurements by mechanism, one or more").items():
                validate.instance(f"{name}[{mechanism!r}]", run, Measurement, "what round_trips or one_way returns")
        for name, times in (("set_up", self.set_up), ("updates", self.updates)):
            for mechanism, seconds in validate.mapping(name, times, "seconds by mechanism", 0).items():
                validate.seconds(f"{name}[{mechanism!r}]", seconds, LONGEST)
        for mechanism, messages in validate.mapping("arrived", self.arrived, "messages by mechanism", 0).items():
            validate.sequence(f"arrived[{mechanism!r}]", messages, "the messages that arrived", 0)

    def rate(self, name: str, task: "Task") -> float:
        """Return how many messages of the task's size, or updates of its shared state, go through in a second."""
        _check_task(task)
        validate.one_of("name", name, self.streams if task.shares == "messages" else self.updates)
        return 1 / (self.streams[name].at(task.size) if task.shares == "messages" else self.updates[name])

    def survives(self, name: str) -> bool:
        """Tell whether both messages reached the other reader after a crash."""
        return self.arrived[validate.one_of("name", name, self.arrived)] == [1, 2]


@dataclass(frozen=True)
class Task:
    """What a learner wants to do.

    Raises TypeError or ValueError for fewer than 2 parties, more than 64, a size (bytes) not from 1 to 10**8, a rate
    (messages or updates a second) not from 1 to 10**8, or something to share that is not in SHARES.
    """

    parties: int
    size: int
    rate: int
    shares: str = "messages"
    survives_crash: bool = False

    def __post_init__(self) -> None:
        validate.whole_number("parties", self.parties, 2, MOST_PARTIES)
        validate.whole_number("size", self.size, 1, LARGEST)
        validate.whole_number("rate", self.rate, 1, MOST_A_SECOND)
        validate.one_of("shares", self.shares, SHARES)
        validate.flag("survives_crash", self.survives_crash)


@dataclass(frozen=True)
class Advice:
    """A mechanism for a task, the rule that led to it, and what this machine can be expected to do."""

    task: Task
    mechanism: str
    rule: str
    rates: dict[str, float]  # a second, for each mechanism that can do the task at all

    @property
    def is_enough(self) -> bool:
        """Tell whether the mechanism is as quick as the task needs."""
        return self.rates[self.mechanism] >= self.task.rate

    def __str__(self) -> str:
        rate, is_sent = self.rates[self.mechanism], self.task.shares == "messages"
        unit, alone = ("messages", "one pair alone") if is_sent else ("updates", "one process alone")
        enough = "" if self.is_enough else f" That is too slow for you: put several {unit} into one."
        here = f"Here, for {alone}: about {rounded(rate)} {unit} a second; needed: {self.task.rate:,}."
        return f"{self.mechanism}, for {self.task.parties} parties. {self.rule} {here}{enough}"


def advise(task: Task, survey: Survey) -> Advice:
    """Recommend a mechanism for a task, from what was measured on this machine.

    The rule that fits names mechanisms, the most convenient first. The first that is quick enough is recommended, or
    the quickest if none is. Raises TypeError for anything but a Task and a Survey.
    """
    _check_task(task)
    validate.instance("survey", survey, Survey, "a Survey")
    rule, names = first_rule(task, survey)
    rates = {name: survey.rate(name, task) for name in names}
    enough = [name for name in names if rates[name] >= task.rate]
    chosen = enough[0] if enough else max(rates, key=rates.__getitem__)
    if chosen != names[0]:
        rule += f" A {names[0]} would be more convenient, but is too slow here."
    return Advice(task, chosen, rule, rates)


def first_rule(task: Task, survey: Survey) -> tuple[str, list[str]]:
    """Return the first rule that fits a task, and the mechanisms that it allows, the most convenient first."""
    if task.shares != "messages":
        return WHY[task.shares], [STATES[task.shares]]
    if task.survives_crash:
        able = [name for name in ("Pipe", "Manager", "shared memory") if survey.survives(name)]
        each = "A reader that crashes must take nothing with it."
        return each if task.parties == 2 else f"{each} Give each partner a line of its own.", able or ["Pipe"]
    if task.parties == 2:
        return "Messages between two: a pipe is made for that.", ["Pipe", "shared memory"]
    return "Messages among more than two: a queue has the locks that this needs.", ["Queue", "SimpleQueue"]


def _check_task(task: Task) -> None:
    validate.instance("task", task, Task, "a Task, such as Task(parties=2, size=100, rate=1000)")

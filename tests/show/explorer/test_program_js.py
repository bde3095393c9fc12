"""JavaScript and Python count, search and judge alike: the explorer's program.js under Node, held against Python."""

import importlib.util
import inspect
import json
import math
import random
import shutil
import subprocess
from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from helpers.lessons import interleavings, synchronisation
from helpers.scheduling import Scenario, SharedObjects, deadlock, explore, graph_data, lost_updates
from helpers.show.explorer.page import PROGRAM
from tests.missing import skip_without
from tests.scheduling.model.test_liveness import canonical

DRIVER = Path(__file__).with_name("program_answers.mjs")
WALKS = 30  # random schedules a scenario
LISTED = 2000  # schedules of a scenario that are all looked at
LESSONS = [
    build()
    for lesson in (interleavings, synchronisation)
    for _, build in inspect.getmembers(lesson, inspect.isfunction)
    # those in which nobody ends have no schedules to list
    if inspect.signature(build).return_annotation in (Scenario, "Scenario") and not build().endless
]


def blink(stop, lamp):
    """Switch the lamp on and off until it is stopped; break it where it was stopped before it began."""
    if stop.value:
        lamp.value = 2
        return
    yield
    while not stop.value:
        lamp.value = 1 - lamp.value
        yield


def halt(stop):
    stop.value = 1
    yield


def blinking(objects: SharedObjects):
    """Two ends have schedules without end, the third has not."""
    stop, lamp = objects.integer("stop"), objects.integer("lamp")
    return [(blink, (stop, lamp)), (halt, (stop,))]


CASES = [
    *((scenario, grain) for scenario in LESSONS for grain in ("step", "access")),
    (interleavings.increments(3), "step"),
    (interleavings.increments(2, 3), "step"),
    (interleavings.additions(3), "access"),
    (synchronisation.philosophers(3), "step"),
    (Scenario(blinking), "step"),
]


@pytest.fixture(scope="module")
def node():
    """Find Node: on this machine, or the one that playwright brings along."""
    playwright = importlib.util.find_spec("playwright")
    shipped = playwright and Path(playwright.origin).parent / "driver"
    found = shutil.which("node") or (shipped and shutil.which("node", path=shipped))
    return found or skip_without("Node", "install Node.js to hold the explorer's JavaScript against Python")


@pytest.fixture(scope="module")
def ask(node, tmp_path_factory):
    """Return what program.js answers to requests (see program_answers.mjs)."""
    # by this name Node takes it as a module
    module = tmp_path_factory.mktemp("program") / "program.mjs"
    module.write_text(PROGRAM, encoding="utf-8")

    def ask(requests):
        command = [node, DRIVER, module.as_uri()]
        told = subprocess.run(command, input=json.dumps(requests), capture_output=True, encoding="utf-8", timeout=60)
        assert told.returncode == 0, told.stderr
        return json.loads(told.stdout)

    return ask


@pytest.fixture(scope="module")
def answers(ask):
    """Ask about all cases at once; return (exploration, schedules, answer) for each."""
    explored = [explore(scenario, grain) for scenario, grain in CASES]
    schedules = [[walk(one, random.Random(seed)) for seed in range(WALKS)] for one in explored]
    requests = [
        {"graph": graph_data(one), "schedules": walks, "goal": broken_states(one)}
        for one, walks in zip(explored, schedules, strict=True)
    ]
    return list(zip(explored, schedules, ask(requests), strict=True))


def walk(explored, chance, longest=40):
    """Return a random schedule, which may stop before the end."""
    schedule, number = [], 0
    for _ in range(chance.randint(1, longest)):
        ways = [(process, after) for process, after in enumerate(explored.successors(number)) if after is not None]
        if not ways:
            break
        process, number = chance.choice(ways)
        schedule.append(process)
    return schedule


def is_broken(state):
    return state.deadlocked or state.violated or any(location.error for location in state.locations)


def broken_states(explored):
    return [number for number in range(len(explored)) if is_broken(explored[number])]


def breaks(explored, schedule):
    """Tell whether a schedule that can be taken loses an update, or comes to a broken state at its end."""
    steps = explored.follow(schedule)
    return bool(lost_updates(steps)) or is_broken(steps[-1].state if steps else explored[0])


def possible(explored, length):
    """Return every schedule of this length that can be taken, complete or not."""
    for schedule in product(range(len(explored.model.names)), repeat=length):
        number = 0
        for process in schedule:
            number = explored.successors(number)[process]
            if number is None:
                break
        else:
            yield list(schedule)


def is_listable(explored):
    return explored.schedules <= LISTED


cases = pytest.mark.parametrize(
    "number", range(len(CASES)), ids=[f"{scenario.name}-{grain}" for scenario, grain in CASES]
)


def exact(count):
    return str(count) if count != math.inf else None


@cases
def test_counts_are_the_same(answers, number):
    explored, _, answer = answers[number]
    ends = {(str(outcome), False): count for outcome, count in explored.outcomes.items()}
    if any(state.deadlocked for state in map(explored.__getitem__, range(len(explored)))):
        ends["deadlock", True] = explored.deadlocks
    assert answer["total"] == exact(explored.schedules)
    assert {(row["text"], row["isDeadlock"]): row["count"] for row in answer["rows"]} == {
        end: exact(count) for end, count in ends.items()
    }


@cases
def test_orders_that_cannot_differ_are_merged_alike(answers, number):
    explored, _, answer = answers[number]
    orders = answer["orders"]
    assert orders["total"] == exact(explored.distinct_orders)
    if not is_listable(explored):
        return
    ends = {canonical(explored, schedule): end_of(explored, schedule) for schedule in explored.each_schedule()}
    assert {
        (row["text"], row["isDeadlock"]): int(count) for row, count in zip(answer["rows"], orders["rows"], strict=True)
    } == Counter(ends.values())


def end_of(explored, schedule):
    state = explored.follow(schedule)[-1].state
    return (str(state.outcome), False) if state.finished else ("deadlock", True)


@pytest.mark.parametrize("scenario", [interleavings.additions(2), interleavings.additions(3)])
def test_folded_statements_are_merged_as_steps_that_go_from_yield_to_yield(ask, scenario):
    fine, whole = explore(scenario, "access"), explore(scenario, "step")
    folded = ask([{"graph": graph_data(fine), "schedules": [], "goal": []}])[0]["folded"]
    assert folded["total"] == str(whole.schedules) != str(fine.schedules)
    assert folded["orders"]["total"] == str(whole.distinct_orders)


def test_too_many_cases_are_not_merged(ask):
    request = {"graph": graph_data(explore(interleavings.increments(3))), "schedules": [], "goal": [], "mostMerged": 20}
    assert ask([request])[0]["orders"] is None


@cases
def test_probabilities_are_the_same(answers, number):
    explored, _, answer = answers[number]
    outcomes = {str(outcome): outcome for outcome in explored.outcomes}
    for row in answer["rows"]:
        end = deadlock if row["isDeadlock"] else outcomes[row["text"]]
        assert row["coin"] == pytest.approx(float(explored.probability(end, "coin")), rel=1e-9, abs=1e-12)
        if explored.schedules != math.inf:
            assert row["exact"] == pytest.approx(float(explored.probability(end)), rel=1e-12)


@cases
def test_schedules_are_judged_alike(answers, number):
    explored, schedules, answer = answers[number]
    for schedule, judged in zip(schedules, answer["judged"], strict=True):
        steps = explored.follow(schedule)
        state = steps[-1].state
        assert judged["taken"] == schedule and judged["problem"] == ""
        assert judged["lost"] == sorted(set(lost_updates(steps)))
        assert judged["labels"] == [step.label for step in steps]
        assert judged["isDeadlock"] == state.deadlocked
        assert judged["isViolated"] == state.violated
        assert judged["outcome"] == (str(state.outcome) if state.finished else None)


@cases
def test_who_waits_waits_for_the_same(answers, number):
    explored, schedules, answer = answers[number]
    names = explored.model.names
    for schedule, judged in zip(schedules, answer["judged"], strict=True):
        state = explored.follow(schedule)[-1].state
        waiting = {wait.process: wait for wait in state.waiting}
        for process, refusal in enumerate(judged["refusals"]):
            assert (refusal == "") == (process in state.enabled)
            if process in waiting and waiting[process].channel and "loop" not in refusal:
                held = " and ".join(names[holder] for holder in waiting[process].held_by)
                told = f"waits for {waiting[process].for_what}" + (f", held by {held}" if held else "")
                assert refusal == told


@cases
def test_the_shortest_way_to_a_state_is_as_long(answers, number):
    explored, _, answer = answers[number]
    shortest = explored.shortest(is_broken)
    if shortest is None:
        assert answer["toGoal"] is None
    else:
        assert len(answer["toGoal"]) == len(shortest)
        steps = explored.follow(answer["toGoal"])
        assert is_broken(steps[-1].state if steps else explored[0])


@cases
def test_no_schedule_breaks_in_fewer_steps(answers, number):
    """Against every shorter schedule there is, or all schedules where none is said to break."""
    explored, _, answer = answers[number]
    found = answer["toBreak"]
    if found is not None:
        assert breaks(explored, found)
        assert not any(breaks(explored, schedule) for schedule in possible(explored, len(found) - 1))
    elif is_listable(explored):
        assert not any(breaks(explored, schedule) for schedule in explored.each_schedule())


@cases
def test_outcomes_without_a_lost_update_are_the_same(answers, number):
    explored, _, answer = answers[number]
    assert set(answer["clean"]) <= set(map(str, explored.outcomes))
    if not is_listable(explored):
        return
    assert set(answer["clean"]) == {
        str(steps[-1].state.outcome)
        for steps in map(explored.follow, explored.each_schedule())
        if steps[-1].state.finished and not lost_updates(steps)
    }


def test_hundreds_of_schedules_were_compared_and_many_lose_an_update(answers):
    compared = [judged for _, _, answer in answers for judged in answer["judged"]]
    assert len(compared) >= 300
    assert sum(1 for judged in compared if judged["lost"]) >= 30
    assert sum(1 for judged in compared if judged["isDeadlock"]) >= 10


def test_a_schedule_goes_as_far_as_it_can_and_the_rest_is_refused_in_words(ask):
    request = {"graph": graph_data(explore(interleavings.increments(2))), "goal": [], "schedules": []}
    request["schedules"] = [[0, 1, 0, 0, 1], ["0", "one"], [2], [0, 1]]
    judged = ask([request])[0]["judged"]
    assert [(one["taken"], one["problem"]) for one in judged] == [
        ([0, 1, 0], "Step 4: increment 0 cannot take it, it has ended."),
        ([0], "Step 2: “one” is not the number of a process; they are 0 to 1."),
        ([], "Step 1: “2” is not the number of a process; they are 0 to 1."),
        ([0, 1], ""),
    ]

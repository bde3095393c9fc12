"""The model: its steps, its states, and what it cannot be asked."""

import pytest

from helpers.lessons import interleavings, synchronisation
from helpers.scheduling import (
    CannotExplore,
    Crashed,
    Model,
    Scenario,
    deadlock,
    explore,
    lost_updates,
    random_walks,
)
from helpers.scheduling.model import worker_graph
from tests import scheduled
from tests.enumeration import count_outcomes


def test_the_philosophers_wait_in_a_circle():
    explored = explore(synchronisation.philosophers(3))
    last = explored.model.follow(explored.shortest(deadlock))[-1].state
    assert {(wait.process, wait.channel, wait.held_by) for wait in last.cycle} == {
        (0, "fork 1", (1,)),
        (1, "fork 2", (2,)),
        (2, "fork 0", (0,)),
    }
    assert last.holders == {"fork 0": (0,), "fork 1": (1,), "fork 2": (2,)}


def test_who_waits_for_a_circle_is_not_in_it():
    def take(*locks):
        for lock in locks:
            yield lock.acquire()

    def build(objects):
        one, other = objects.lock("one"), objects.lock("other")
        return [(take, (one,)), (take, (one, other)), (take, (other, one))]

    last = Model(build).follow([1, 2])[-1].state
    assert [wait.process for wait in last.waiting] == [0, 1, 2]
    assert [(wait.process, wait.held_by) for wait in last.cycle] == [(1, (2,)), (2, (1,))]


def test_a_semaphore_is_held_until_it_is_given_back():
    def borrow(seats):
        seats.acquire()
        yield
        seats.release()
        yield

    model = Model(lambda objects: [(borrow, (objects.semaphore("seats", 2),))] * 2)
    holders = [step.state.holders for step in model.follow([0, 1, 0, 1])]
    assert holders == [{"seats": (0,)}, {"seats": (0, 1)}, {"seats": (1,)}, {}]


def test_a_statement_expands_into_its_accesses():
    folded, expanded = explore(interleavings.additions()), explore(interleavings.additions(), grain="access")
    assert folded.outcomes == {2: 2}
    assert expanded.outcomes == explore(interleavings.increments()).outcomes
    assert [step.label for step in expanded.model.follow([0, 0])] == ["counter is 0", "counter.value += 1"]


def test_the_step_that_loses_an_update_is_named():
    model = Model(interleavings.increments())
    assert lost_updates(model.follow([0, 1, 0, 1])) == [3]
    assert lost_updates(model.follow([0, 0, 1, 1])) == []


def test_nobody_loses_an_update_of_their_own():
    def write_twice(counter):
        seen = counter.value
        yield
        counter.value = seen + 1
        yield
        counter.value = seen + 2
        yield

    model = Model(lambda objects: [(write_twice, (objects.integer("counter"),))] * 2)
    assert lost_updates(model.follow([0, 0, 0, 1, 1, 1])) == []
    assert lost_updates(model.follow([0, 1, 1, 1, 0])) == [4]


def test_a_worker_that_raises_is_an_outcome():
    explored = explore(scheduled.of(scheduled.raise_if_set, 2, raises=(LookupError,)))
    assert Crashed(("raise_if_set 1: LookupError: somebody was here",)) in explored.outcomes


def test_variables_that_are_never_read_again_do_not_make_more_states():
    def look(number):
        for _ in range(3):
            _ = number.value
            yield

    def beside(worker):
        def scenario(objects):
            number = objects.integer("number")
            return [(worker, (number,)), (scheduled.within, (number,))]

        return scenario

    # 4 locations times 5
    assert len(explore(beside(scheduled.remember_in_vain))) == len(explore(beside(look))) == 20


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        (scheduled.of(scheduled.count_up), r"more than max_states=1,000 .* after \d+ steps .* random_walks"),
        (scheduled.of(scheduled.write_by_chance), "write_by_chance is not deterministic"),
        (scheduled.of(scheduled.never_yield), "never_yield made 300 accesses without a yield"),
    ],
)
def test_what_cannot_be_explored_says_why(scenario, words):
    with pytest.raises(CannotExplore, match=words):
        explore(scenario, max_states=1000)


@pytest.mark.parametrize("worker", [scheduled.count_up, scheduled.count_in_a_variable])
def test_a_scenario_without_end_is_given_up_in_time(worker, monkeypatch):
    monkeypatch.setattr(worker_graph, "MAX_WORK", 100_000)
    with pytest.raises(CannotExplore, match=r"_\w+ may never end: .* the bound of 100,000 accesses.* random_walks"):
        explore(scheduled.of(worker))
    assert random_walks(scheduled.of(worker), runs=2, longest=100).unfinished == 2


@pytest.mark.parametrize("grain", ["step", "access"])
def test_waiting_in_the_middle_begins_a_step_of_its_own(grain):
    explored = explore(scheduled.middle_waiters, grain)
    assert explored.outcomes == count_outcomes(Scenario(scheduled.middle_waiters), grain)
    labels = [step.label for step in explored.follow(next(explored.each_schedule()))]
    assert "acquire lock" in labels


def test_an_outcome_has_to_be_hashable():
    with pytest.raises(TypeError, match="the outcome of a scenario .* must be something that can be counted, .* not {"):
        _ = explore(Scenario(interleavings.increments().build, outcome=dict)).outcomes


def set_and_go(flag):
    flag.value = 1
    yield


def set_again_and_again(flag):
    while True:
        flag.value = 1
        yield


def test_a_step_depends_on_what_it_overwrites_only_where_that_may_be_no_change():
    for worker, slots in ((set_and_go, set()), (set_again_and_again, {0})):
        model = Model(lambda objects, worker=worker: [(worker, (objects.integer("flag"),))])
        again = model.start.take(0).state if worker is set_again_and_again else model.start
        assert model.look(0, again.locations[0], again.values)[1] == slots

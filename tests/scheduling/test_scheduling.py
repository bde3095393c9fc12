"""Schedules: what is explored is what plain enumeration finds, and what real processes do."""

import gc
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from fractions import Fraction
from functools import partial
from itertools import islice, pairwise, product
from multiprocessing import active_children, get_all_start_methods

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.lessons import interleavings
from helpers.scheduling import (
    CannotExplore,
    Crashed,
    Memory,
    Model,
    ModelMismatch,
    Scenario,
    deadlock,
    ends_with,
    explore,
    frequency,
    graph_data,
    keep_workers,
    lost_updates,
    pct,
    random_walks,
    replay,
    sample,
    violation,
)
from helpers.scheduling.model import worker_graph
from helpers.scheduling.real import real_objects, replays
from helpers.supervision.supervisor import ProcessesFailed
from tests import scheduled
from tests.enumeration import DEADLOCK, count_outcomes, enumerate_schedules

TWELVE = [
    interleavings.increments(3),
    interleavings.additions(),
    interleavings.locked_increments(3),
    interleavings.check_then_act(),
    interleavings.philosophers(2),
    interleavings.ordered_philosophers(2),
    interleavings.peterson(),
    interleavings.bounded_queue(),
    interleavings.rendezvous(),
    interleavings.deliveries(),
    interleavings.crowded_room(2),
    interleavings.telephone(),
]
ODD_ONES = [
    scheduled.of(scheduled.twice_the_same),
    scheduled.of(scheduled.twice_the_same, 2),
    scheduled.of(scheduled.keep_on_the_stack, 2),
    scheduled.of(scheduled.hold_a_lambda, 2),
    scheduled.of(scheduled.remember_in_vain, 2),
    scheduled.of(scheduled.recover, 2),
    scheduled.of(scheduled.within, 2),
    scheduled.of(scheduled.touch_at_the_end, 3),
    scheduled.of(scheduled.raise_if_set, 2),
    Scenario(scheduled.crossed_with),
    Scenario(scheduled.dict_methods),
    Scenario(scheduled.over_release),
    Scenario(scheduled.alarm),
    Scenario(scheduled.impatient),
]


def name(value):
    """Return a readable test id."""
    return value if isinstance(value, str) else f"{value.name}, {Model(value).names[0]}"


def counts(explored):
    """Return all that is counted, as the plain enumeration counts it."""
    deadlocks = {DEADLOCK: explored.deadlocks} if explored.deadlocks else {}
    return {**explored.outcomes, **deadlocks}


# where nothing depends on how processes start
QUICKEST = "fork" if "fork" in get_all_start_methods() else "spawn"
as_partial = partial(scheduled.circle)


def make_local_worker():
    """Return a worker that no other process can import."""

    def local_worker(number):
        number.value = 1
        yield

    return local_worker


# exploring


@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 1), (3, 1), (4, 1), (2, 3), (3, 2), (2, 10)])
def test_the_number_of_schedules_is_the_textbook_formula(n, k):
    explored = explore(interleavings.increments(n, k))
    assert explored.schedules == math.factorial(2 * n * k) // math.factorial(2 * k) ** n
    assert sum(explored.outcomes.values()) == explored.schedules


def test_two_increments_lose_in_four_of_six_schedules():
    explored = explore(interleavings.increments())
    assert explored.outcomes == {1: 4, 2: 2}
    assert explored.probability(1) == Fraction(2, 3)
    assert explored.probability(1, model="coin") == Fraction(1, 2)


def listable():
    """Return the pairs of scenario and grain whose schedules are few enough to be listed."""
    pairs = [(scenario, grain) for scenario in [*TWELVE, *ODD_ONES] for grain in ("step", "access")]
    # without Peterson's loops, which a plain enumeration would never leave
    return [pair for pair in pairs if pair[0].name != "peterson" and explore(*pair).schedules < 2000]


@pytest.mark.parametrize(("scenario", "grain"), listable(), ids=name)
def test_counts_are_those_of_plain_enumeration(scenario, grain):
    assert counts(explore(scenario, grain)) == count_outcomes(scenario, grain)


instruction = st.tuples(st.sampled_from(scheduled.VERBS), st.integers(0, 1))
programs_of_three = st.lists(st.lists(instruction, max_size=4), min_size=1, max_size=3)


def explored_or_refused(programs, grain):
    """Explore some programs; None where one of them has to wait in the middle of a step."""
    try:
        return explore(scheduled.interpreted(programs), grain)
    except CannotExplore:
        assert grain == "step" and any(verb == "add quietly" for program in programs for verb, _ in program)
        return None


@settings(max_examples=80, deadline=None)
@given(programs_of_three, st.sampled_from(["step", "access"]))
def test_any_scenario_explored_is_the_scenario_enumerated(programs, grain):
    explored = explored_or_refused(programs, grain)
    if explored is None or explored.schedules > 300:
        return
    listed = list(enumerate_schedules(explored.model.scenario, grain))
    assert counts(explored) == Counter(end for _, end in listed)
    assert list(explored.each_schedule()) == [schedule for schedule, _ in listed]
    assert explored.violations == sum(breaks_the_invariant(explored, schedule) for schedule, _ in listed)
    for outcome in {DEADLOCK, *explored.outcomes}:
        wanted = deadlock if outcome == DEADLOCK else outcome
        ways = [schedule for schedule, end in listed if end == outcome]
        assert explored.probability(wanted) == Fraction(len(ways), len(listed))
        assert explored.probability(wanted, "coin") == sum(by_coin(explored, schedule) for schedule in ways)
        found = explored.shortest(deadlock if outcome == DEADLOCK else ends_with(outcome))
        assert (found in ways and len(found) == min(map(len, ways))) if ways else found is None


def breaks_the_invariant(explored, schedule):
    """Tell whether a schedule violates the invariant, by looking at every state on its way."""
    return any(step.state.shared["a"] > 1 for step in explored.follow(schedule))


def by_coin(explored, schedule):
    """Return the probability that a coin-tossing scheduler chooses a schedule."""
    states = [explored.model.start, *(step.state for step in explored.follow(schedule))]
    return Fraction(1, math.prod(len(state.enabled) for state in states[:-1]))


def test_a_coin_tossing_scheduler_gives_probabilities_that_add_up():
    explored = explore(interleavings.philosophers(3))
    chances = [explored.probability(outcome, model="coin") for outcome in explored.outcomes]
    assert sum(chances) + explored.probability(deadlock, model="coin") == 1
    assert explored.probability(deadlock) == Fraction(explored.deadlocks, explored.schedules)


def test_the_coin_agrees_with_random_walks():
    explored = explore(interleavings.increments(3))
    seen = random_walks(interleavings.increments(3), runs=2000, seed=1)
    assert seen.outcomes[1] / seen.runs == pytest.approx(float(explored.probability(1, model="coin")), abs=0.04)


def test_a_loop_of_more_than_one_step_makes_infinitely_many_schedules():
    explored = explore(interleavings.peterson(), "access")
    assert explored.schedules == math.inf
    with pytest.raises(ValueError, match='must be "coin" here: there are infinitely many'):
        explored.probability((0, 0, 0, 0))
    with pytest.raises(ValueError, match="peterson has schedules without end; they cannot be listed"):
        explored.each_schedule()


def test_a_coin_comes_out_of_every_loop_that_has_an_exit():
    explored = explore(interleavings.peterson(), "access")
    assert sum(explored.probability(outcome, model="coin") for outcome in explored.outcomes) == pytest.approx(1)


def test_schedules_may_be_longer_than_the_stack_is_deep():
    [schedule] = explore(scheduled.of(scheduled.count_to_400), "access").each_schedule()
    assert schedule == [0] * (400 * 3 + 1) and len(schedule) > sys.getrecursionlimit()


def test_processes_without_steps_have_one_schedule_which_is_empty():
    explored = explore(scheduled.interpreted([[], []]))
    assert list(explored.each_schedule()) == [[]]
    assert (explored.schedules, explored.shortest(lambda state: state.finished)) == (1, [])


def test_what_is_waited_for_in_a_loop_can_be_waited_for_in_vain():
    explored = explore(scheduled.polite_pair)
    assert explored.deadlocks > 0
    stuck = explored.model.follow(explored.shortest(deadlock))[-1].state
    assert [(wait.process, wait.for_what) for wait in stuck.waiting] == [(0, "other to change"), (1, "one to change")]


def test_processes_that_run_for_ever_are_a_livelock():
    explored = explore(scheduled.of(scheduled.circle))
    assert explored.outcomes == {} and explored.deadlocks == 0
    assert explored.livelocks == len(explored) > 0
    assert explored.probability(0, "coin") == explored.schedules == 0
    with pytest.raises(ValueError, match='must be "coin" here: no schedule comes to an end'):
        explored.probability(0)


def test_a_violated_invariant_counts_once_a_schedule():
    explored = explore(interleavings.check_then_act())
    assert explored.violations == explored.outcomes[2] == 12
    breaking = explored.shortest(violation)
    states = [step.state for step in explored.model.follow(breaking)]
    assert [state.violated for state in states] == [False] * (len(states) - 1) + [True]


def test_a_violation_counts_even_if_all_is_well_again_at_the_end():
    scenario = scheduled.of(scheduled.up_and_down)._replace(invariant=lambda shared: shared["number"] < 2)
    explored = explore(scenario)
    assert (explored.violations, explored.schedules, explored.outcomes) == (1, 1, {0: 1})
    assert explored.shortest(violation) == [0, 0]
    assert random_walks(scenario, runs=3).violations == 3


def test_the_philosophers_wait_in_a_circle():
    explored = explore(interleavings.philosophers(3))
    last = explored.model.follow(explored.shortest(deadlock))[-1].state
    assert {(wait.process, wait.channel, wait.held_by) for wait in last.cycle} == {
        (0, "fork 1", (1,)),
        (1, "fork 2", (2,)),
        (2, "fork 0", (0,)),
    }
    assert last.holders == {"fork 0": (0,), "fork 1": (1,), "fork 2": (2,)}


def test_a_statement_expands_into_its_accesses():
    folded, expanded = explore(interleavings.additions()), explore(interleavings.additions(), grain="access")
    assert folded.outcomes == {2: 2}
    assert expanded.outcomes == explore(interleavings.increments()).outcomes
    assert [step.label for step in expanded.model.follow([0, 0])] == ["counter is 0", "counter.value += 1"]


def test_the_step_that_loses_an_update_is_named():
    model = Model(interleavings.increments())
    assert lost_updates(model.follow([0, 1, 0, 1])) == [3]
    assert lost_updates(model.follow([0, 0, 1, 1])) == []


def test_a_worker_that_raises_is_an_outcome():
    explored = explore(scheduled.of(scheduled.raise_if_set, 2))
    assert Crashed(("raise_if_set 1: LookupError: somebody was here",)) in explored.outcomes


def test_variables_that_are_never_read_again_do_not_make_more_states():
    def look(number):
        for _ in range(3):
            _ = number.value
            yield

    def beside(worker):
        def scenario(memory):
            number = memory.integer("number")
            return [(worker, (number,)), (scheduled.within, (number,))]

        return scenario

    # 4 places times 5
    assert len(explore(beside(scheduled.remember_in_vain))) == len(explore(beside(look))) == 20


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        (scheduled.of(scheduled.count_up), r"more than max_states=1,000 .* after \d+ steps .* random_walks"),
        (scheduled.of(scheduled.write_by_chance), "write_by_chance is not deterministic"),
        (scheduled.of(scheduled.never_yield), "never_yield made 300 accesses without a yield"),
        (scheduled.middle_waiters, r"wait_in_the_middle \d may have to wait in the middle of a step, at line"),
    ],
)
def test_what_cannot_be_explored_says_why(scenario, words):
    with pytest.raises(CannotExplore, match=words):
        explore(scenario, max_states=1000)


@pytest.mark.parametrize("worker", [scheduled.count_up, scheduled.count_in_a_variable])
def test_a_scenario_without_end_is_given_up_in_time(worker, monkeypatch):
    monkeypatch.setattr(worker_graph, "MOST_WORK", 100_000)
    with pytest.raises(CannotExplore, match=r"_\w+ may never end: .* the bound of 100,000 accesses.* random_walks"):
        explore(scheduled.of(worker))
    assert random_walks(scheduled.of(worker), runs=2, longest=100).unfinished == 2


def test_waiting_in_the_middle_is_fine_between_single_accesses():
    assert explore(scheduled.middle_waiters, grain="access").outcomes == count_outcomes(
        Scenario(scheduled.middle_waiters), "access"
    )


@pytest.mark.parametrize("search", [random_walks, pct])
def test_a_scenario_that_is_too_big_can_be_sampled(search):
    scenario = interleavings.philosophers(8)
    with pytest.raises(CannotExplore, match=r"philosophers has more than max_states=2,000 states"):
        explore(scenario, max_states=2000)
    walks = search(scenario, runs=40, until=lambda state: bool(state.shared["meals 5"]))
    assert walks.deadlocks + sum(walks.outcomes.values()) == 40 and walks.unfinished == 0
    assert Model(scenario).follow(walks.found)[-1].state.shared["meals 5"] == 1


@pytest.mark.parametrize("search", [random_walks, pct])
def test_walks_without_end_are_cut_off_and_counted(search):
    walks = search(scheduled.of(scheduled.count_up), runs=2, longest=50)
    assert (walks.unfinished, walks.outcomes) == (2, {})


@pytest.mark.parametrize("search", [random_walks, pct])
def test_walks_are_the_same_from_the_same_seed_and_find_deadlocks(search):
    scenario = interleavings.philosophers(2)
    walks = search(scenario, runs=200, seed=3, until=deadlock)
    assert walks == search(scenario, runs=200, seed=3, until=deadlock)
    assert walks.deadlocks + sum(walks.outcomes.values()) == 200
    assert explore(scenario).model.follow(walks.found)[-1].state.deadlocked


def test_pct_keeps_its_promise():
    # the lost update of two increments is a bug of depth 2: hit with probability 1 / (n * k) at least
    walks = pct(interleavings.increments(), runs=2000, depth=2)
    assert walks.outcomes[1] / walks.runs > 1 / (2 * 4)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: explore(7), TypeError, "must be a Scenario or a function of a Memory, not 7"),
        (lambda: explore(lambda memory: []), TypeError, "must return a list of"),
        (lambda: explore(lambda memory: [(print, ())]), TypeError, "worker must be a generator function"),
        (lambda: explore(lambda memory: [print]), TypeError, "must return a list of"),
        (lambda: explore(interleavings.increments(), grain="line"), ValueError, "grain must be one of"),
        (lambda: explore(interleavings.increments(), grain=None), TypeError, "grain must be one of step, access"),
        (lambda: explore(interleavings.increments(), max_states=0), ValueError, "max_states must be from 1 to"),
        (lambda: explore(lambda memory: [(as_partial, ())]), TypeError, "worker must be a generator function"),
        (lambda: explore(interleavings.increments()).probability(1, "dice"), ValueError, "model must be one of"),
        (lambda: replay(interleavings.increments(), [0, 0, 0]), ValueError, r"schedule\[2\] .* has ended"),
        (lambda: replay(interleavings.increments(), [2]), ValueError, "a number from 0 to 1, not 2"),
        (lambda: replay(interleavings.philosophers(), [0, 1, 0]), ValueError, "fork 1, held by dine 1"),
        (lambda: replay(interleavings.increments(), [], method="magic"), ValueError, "method must be one of"),
        (lambda: replay(interleavings.increments(), [], method=None), TypeError, "method must be one of"),
        (lambda: replay(interleavings.increments(), [], deadline=-1), ValueError, "deadline must be above 0"),
        (lambda: replay(interleavings.increments(), None), TypeError, "schedule must be a list .* not None"),
        (lambda: replay(interleavings.increments(), "01"), TypeError, "schedule must be a list .* not '01'"),
        (lambda: replay(interleavings.increments(), [0.5]), ValueError, "a number from 0 to 1, not 0.5"),
        (
            lambda: replay(scheduled.of(make_local_worker()), [0]),
            TypeError,
            "must be a function at the top of a module",
        ),
        (lambda: replay(scheduled.of(scheduled.circle, 65), []), ValueError, "number of workers must be from 1 to 64"),
        (lambda: sample(interleavings.increments(), 0), ValueError, "runs must be from 1 to 1,000,000, not 0"),
        (lambda: sample(interleavings.increments(), 1.5), TypeError, "runs must be a whole number .* not 1.5"),
        (lambda: sample(interleavings.increments(), 1, "thread"), ValueError, "method must be one of"),
        (lambda: random_walks(interleavings.increments(), True), TypeError, "runs must be a whole number"),
        (lambda: random_walks(interleavings.increments(), 1, longest=0), ValueError, "longest must be from 1 to"),
        (lambda: pct(interleavings.increments(), 1, depth=0), ValueError, "depth must be from 1 to"),
        (lambda: frequency(3, 2), ValueError, "successes must be from 0 to 2, not 3"),
    ],
)
def test_bad_input_is_named_before_anything_starts(call, error, words):
    with pytest.raises(error, match=words):
        call()
    assert active_children() == []


@pytest.mark.parametrize(
    ("declare", "error", "words"),
    [
        (lambda memory: [memory.lock("x"), memory.integer("x")], ValueError, "already has a 'x'"),
        (lambda memory: memory.lock(""), ValueError, "must be a string that is not empty"),
        (lambda memory: memory.queue("x", 0), ValueError, "maxsize must be at least 1, not 0"),
        (lambda memory: memory.barrier("x", "2"), TypeError, "parties must be an int, not '2'"),
        (lambda memory: memory.integer("x", 2**63), OverflowError, "must fit into 64 bits"),
        (lambda memory: memory.dict("x", {(1, 2): 3}), TypeError, "key must be a str or an int"),
        (lambda memory: memory.integer("x").value, RuntimeError, "used by the workers only"),
    ],
)
def test_bad_declarations_are_named(declare, error, words):
    with pytest.raises(error, match=words):
        declare(Memory())


def test_an_outcome_has_to_be_hashable():
    with pytest.raises(TypeError, match="an outcome must be hashable"):
        _ = explore(Scenario(interleavings.increments().build, outcome=dict)).outcomes


def test_a_state_graph_is_plain_data_that_can_be_walked():
    explored = explore(interleavings.philosophers())
    data = json.loads(json.dumps(graph_data(explored)))
    schedule, state, labels = explored.shortest(deadlock), data["states"][0], []
    for process in schedule:
        _, _, following, steps = state
        labels.append(data["steps"][steps[process]]["label"])
        number = following[process]
        state = data["states"][number]
    assert labels == [step.label for step in explored.model.follow(schedule)]
    assert data["ends"][str(number)] is None
    shared, places, following, _ = state
    assert following == [None, None]
    assert [data["places"][place]["waits_for"] for place in places] == ["fork 1", "fork 0"]
    assert data["shared"][shared]["holders"] == [[0], [1], [], []]
    first = data["places"][data["states"][0][1][0]]
    source = data["sources"][first["source"]]
    assert source["lines"][first["line"] - source["first_line"]].strip() == "yield first.acquire()"


def test_a_state_graph_says_how_likely_each_outcome_is():
    outcomes = graph_data(explore(interleavings.increments()))["outcomes"]
    assert outcomes[0] == {"text": "1", "schedules": "4", "uniform": pytest.approx(2 / 3), "coin": 0.5}


def test_a_state_graph_that_is_too_big_is_refused():
    with pytest.raises(ValueError, match="at most max_states=10 states here, not 12"):
        graph_data(explore(interleavings.increments()), max_states=10)


# replaying


@pytest.mark.parametrize("scenario", TWELVE, ids=name)
def test_real_processes_do_what_the_model_says_in_every_schedule(scenario):
    explored = explore(scenario)
    ends = Counter()
    with keep_workers():
        for schedule in explored.each_schedule():
            real = replay(scenario, schedule)
            ends[DEADLOCK if real.state.deadlocked else real.outcome] += 1
        free = sample(scenario, 20)
    assert ends == counts(explored)
    assert sum(free.outcomes.values()) + free.deadlocks == 20
    # a statement may be interrupted in a free run, and in the model between its accesses
    assert set(free.outcomes) <= set(explore(scenario, "access").outcomes)


def test_real_processes_do_what_the_model_says_of_odd_workers():
    with keep_workers():
        for scenario, grain in product(ODD_ONES, ["step", "access"]):
            explored = explore(scenario, grain)
            stride = explored.schedules // 8 + 1
            for schedule in islice(explored.each_schedule(), 0, 20_000, stride):
                real = replay(scenario, schedule, QUICKEST, grain)
                assert real.state.deadlocked or real.outcome in explored.outcomes


def test_real_processes_do_what_the_model_says_of_any_scenario(monkeypatch):
    # a deadlock need not be watched here
    monkeypatch.setattr(replays, "_SHORT_PATIENCE", 0.001)

    @settings(max_examples=40, deadline=None)
    @given(programs_of_three, st.sampled_from(["step", "access"]))
    def agree(programs, grain):
        explored = explored_or_refused(programs, grain)
        if explored is None:
            return
        stride = explored.schedules // 4 + 1
        for schedule in islice(explored.each_schedule(), 0, 2_000, stride):
            real = replay(explored.model.scenario, schedule, QUICKEST, grain)
            assert real.state.deadlocked or real.outcome in explored.outcomes

    with keep_workers():
        agree()


@pytest.mark.parametrize("method", get_all_start_methods())
def test_a_replay_works_under_every_start_method(method):
    real = replay(interleavings.check_then_act(), [0, 1, 0, 1, 0, 1], method)
    assert real.outcome == 2
    assert active_children() == []


def test_a_replay_shows_what_each_step_saw_and_which_lost_an_update():
    real = replay(interleavings.increments(), [0, 1, 0, 1])
    assert [step.saw for step in real.steps] == [
        ("counter is 0",),
        ("counter is 0",),
        ("counter = 1",),
        ("counter = 1",),
    ]
    events = real.trace.events
    assert [(event.process, event.kind, event.detail, event.failed) for event in events] == [
        (0, "step", "read 0", False),
        (1, "step", "read 0", False),
        (0, "step", "write 1", False),
        (1, "step", "write 1", True),
    ]
    assert all(first.end <= second.begin for first, second in pairwise(events))
    assert [process.name for process in real.trace.processes] == ["increment 0", "increment 1"]


def test_a_replayed_deadlock_shows_who_waits_for_whom_and_ends():
    real = replay(interleavings.philosophers(), [0, 1])
    assert real.outcome is None and real.state.deadlocked
    waits = [event for event in real.trace.events if event.kind == "wait"]
    assert [(wait.channel, wait.detail, wait.failed) for wait in waits] == [
        ("fork 1", "waits for fork 1, held by dine 1", True),
        ("fork 0", "waits for fork 0, held by dine 0", True),
    ]
    assert active_children() == []


def test_a_replay_pairs_messages():
    explored = explore(interleavings.telephone())
    trace = replay(interleavings.telephone(), next(explored.each_schedule())).trace
    assert [(message.sent.process, message.received.process) for message in trace.messages] == [(0, 1), (1, 0)]


def test_a_schedule_may_stop_half_way():
    real = replay(interleavings.locked_increments(), [0, 0])
    assert real.outcome is None and real.state.shared == {"counter": 0, "lock": True}


def test_worker_processes_are_kept_within_a_block_and_end_with_it():
    scenario = interleavings.increments()
    with keep_workers():
        pids = [{process.pid for process in replay(scenario, [0, 1]).trace.processes} for _ in range(3)]
        assert len(active_children()) == 2
    assert pids[0] == pids[1] == pids[2]
    assert active_children() == []


@pytest.mark.parametrize(
    ("worker", "words"),
    [
        (scheduled.write_own_name, r"At schedule\[0\], write_own_name 0: number = .* in reality, but number = "),
        (scheduled.write_in_children_only, r"At schedule\[0\], write_in_children_only 0: second .* but first"),
        (scheduled.stop_early_in_children, r"At schedule\[1\], stop_early_in_children 0: .* in reality, but second"),
        (scheduled.pause_in_the_model_only, r"At schedule\[1\], .* 0: ends in reality, but goes on in the model"),
        (scheduled.pause_in_children_only, r"At schedule\[0\], .* 0: goes on in reality, but ends in the model"),
    ],
)
def test_a_difference_between_model_and_reality_is_an_error(worker, words):
    scenario = scheduled.of(worker)
    with pytest.raises(ModelMismatch, match=words):
        replay(scenario, next(explore(scenario).each_schedule()))
    assert active_children() == []


def test_after_a_difference_other_processes_take_over():
    with keep_workers():
        with pytest.raises(ModelMismatch):
            replay(scheduled.of(scheduled.write_own_name), [0])
        assert replay(scheduled.of(scheduled.within), [0, 0]).state.shared == {"number": 1}
    assert active_children() == []


def test_a_difference_at_the_end_is_an_error(monkeypatch):
    monkeypatch.setattr(real_objects.RealInteger, "view", lambda self: 7)
    with pytest.raises(ModelMismatch, match=r"At the end .* {'counter': 7} in reality, but {'counter': 2} in the mod"):
        replay(interleavings.increments(), [0, 0, 1, 1])
    assert active_children() == []


@pytest.mark.parametrize("run", [lambda scenario: replay(scenario, [0]), lambda scenario: sample(scenario, 2)])
def test_a_worker_process_that_dies_is_reported(run):
    with pytest.raises(ProcessesFailed, match="exit code 3"):
        run(scheduled.of(scheduled.die))
    assert active_children() == []


@pytest.mark.parametrize(
    ("run", "worker"),
    [
        (lambda scenario: replay(scenario, [0], deadline=0.6), scheduled.hang_in_children_only),
        (lambda scenario: sample(scenario, 1, deadline=0.4), scheduled.circle),
    ],
)
def test_a_worker_process_that_goes_on_for_ever_is_ended_at_the_deadline(run, worker):
    begin = time.monotonic()
    with pytest.raises(ProcessesFailed, match=worker.__name__):
        run(scheduled.of(worker))
    assert time.monotonic() - begin < 3
    assert active_children() == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc and /dev/shm")
def test_replays_and_free_runs_leave_no_files_open_and_no_shared_memory():
    def play():
        replay(interleavings.additions(1), [0])
        sample(scheduled.dict_methods, 2, "fork")
        # processes and what they share are in cycles
        gc.collect()
        shared = [name for name in os.listdir("/dev/shm") if str(os.getpid()) in name]
        return len(os.listdir("/proc/self/fd")), shared

    play()
    assert play() == play()


def test_a_worker_from_a_notebook_cell_is_refused_before_anything_starts():
    program = (
        "from helpers.scheduling import explore, replay\n"
        "def tick(number):\n"
        "    number.value += 1\n"
        "    yield\n"
        "def scenario(memory):\n"
        "    return [(tick, (memory.integer('number'),))]\n"
        "assert explore(scenario).outcomes == {1: 1}\n"
        "try:\n"
        "    replay(scenario, [0])\n"
        "except TypeError as error:\n"
        "    print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert "must be a function at the top of a module" in ran.stdout and ran.stderr == ""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_worker_processes_end_when_the_kernel_is_killed():
    program = (
        "from helpers.scheduling import keep_workers, replay\n"
        "from tests import scheduled\n"
        "if __name__ == '__main__':\n"
        "    with keep_workers():\n"
        "        real = replay(scheduled.dict_methods, [0])\n"
        "        print(*(process.pid for process in real.trace.processes), flush=True)\n"
        "        input()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 1
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    until = time.monotonic() + 5
    while any(map(is_running, pids)) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(map(is_running, pids))


def is_running(pid):
    """Tell whether a process of somebody else's is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# running free


def test_free_runs_end_with_outcomes_that_the_model_allows():
    scenario = interleavings.increments(2, 10)
    seen = sample(scenario, runs=100)
    assert sum(seen.outcomes.values()) == seen.runs == 100
    assert set(seen.outcomes) <= set(explore(scenario).outcomes)
    assert active_children() == []


@pytest.mark.parametrize(
    ("scenario", "outcome"),
    [
        (interleavings.locked_increments(2, 50), 100),
        (interleavings.bounded_queue(2, 20), 190),
        (interleavings.deliveries(2), 0),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_free_runs_never_break_what_is_protected(scenario, outcome):
    assert sample(scenario, 30, QUICKEST).outcomes == {outcome: 30}


def test_free_runs_that_wait_for_ever_are_ended_and_counted():
    def everybody_waits(memory):
        queue = memory.queue("queue", 1)
        return [(interleavings.consume, (queue, memory.integer("total"), 1))] * 2

    seen = sample(everybody_waits, runs=3)
    assert (seen.deadlocks, seen.outcomes) == (3, {})
    assert active_children() == []


def test_free_runs_crash_as_in_the_model():
    assert sample(scheduled.dict_methods, runs=2).outcomes == {Crashed(("juggle 0: KeyError: 'gone'",)): 2}


def test_frequencies_come_with_wilson_intervals():
    # from Newcombe (1998), Two-sided confidence intervals for the single proportion, table I
    for count, runs, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        seen = frequency(count, runs)
        assert (seen.low, seen.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
        assert seen.low <= seen.share <= seen.high


def test_a_sample_tells_the_frequency_of_what_was_never_seen():
    seen = sample(interleavings.locked_increments(), runs=10)
    assert seen.frequency(1).count == 0 and seen.frequency(1).high < 0.3
    assert seen.frequencies == {2: frequency(10, 10)}

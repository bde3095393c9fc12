"""Real processes do, step by step, what the model says."""

from collections import Counter
from itertools import islice, pairwise, product
from multiprocessing import active_children, get_all_start_methods

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.lessons import interleavings, synchronisation
from helpers.recording.kinds import Outcome
from helpers.scheduling import (
    ModelMismatch,
    explore,
    keep_workers,
    replay,
    sample,
)
from helpers.scheduling.real import real_objects, replays
from tests import scheduled
from tests.enumeration import DEADLOCK
from tests.scheduling.programs import ODD_ONES, QUICKEST, TWELVE, counts, name, programs_of_three


@pytest.mark.thorough
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


@pytest.mark.thorough
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

    # ten times as many with --hypothesis-profile=thorough
    @settings(max_examples=settings().max_examples // 5, deadline=None)
    @given(programs_of_three, st.sampled_from(["step", "access"]))
    def agree(programs, grain):
        explored = explore(scheduled.interpreted(programs), grain)
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
    assert [(event.process, event.kind, event.detail, event.outcome) for event in events] == [
        (0, "step", "read 0", Outcome.OK),
        (1, "step", "read 0", Outcome.OK),
        (0, "step", "write 1", Outcome.OK),
        (1, "step", "write 1", Outcome.LOST_UPDATE),
    ]
    assert all(first.end <= second.begin for first, second in pairwise(events))
    assert [process.name for process in real.trace.processes] == ["increment 0", "increment 1"]


def test_a_replayed_deadlock_shows_who_waits_for_whom_and_ends():
    real = replay(synchronisation.philosophers(), [0, 1])
    assert real.outcome is None and real.state.deadlocked
    waits = [event for event in real.trace.events if event.kind == "wait"]
    assert [(wait.channel, wait.detail, wait.outcome) for wait in waits] == [
        ("fork 1", "waits for fork 1, held by dine 1", Outcome.NEVER_RETURNED),
        ("fork 0", "waits for fork 0, held by dine 0", Outcome.NEVER_RETURNED),
    ]
    assert active_children() == []


def test_a_replay_pairs_messages():
    explored = explore(scheduled.telephone())
    trace = replay(scheduled.telephone(), next(explored.each_schedule())).trace
    assert [(message.sent.process, message.received.process) for message in trace.messages] == [(0, 1), (1, 0)]


def test_a_schedule_may_stop_half_way():
    real = replay(interleavings.locked_increments(), [0, 0])
    assert real.outcome is None and real.state.shared == {"counter": 0, "lock": True}


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

"""Scenarios that the tests of every storey share, and what hypothesis draws."""

from functools import partial
from multiprocessing import get_all_start_methods

from hypothesis import strategies as st

from helpers.lessons import interleavings, synchronisation
from helpers.scheduling import (
    Model,
    Scenario,
)
from tests import scheduled
from tests.enumeration import DEADLOCK

TWELVE = [
    interleavings.increments(3),
    interleavings.additions(),
    interleavings.locked_increments(3),
    interleavings.check_then_act(),
    synchronisation.philosophers(2),
    synchronisation.ordered_philosophers(2),
    synchronisation.peterson(),
    scheduled.bounded_queue(),
    scheduled.rendezvous(),
    synchronisation.deliveries(),
    synchronisation.crowded_room(2),
    scheduled.telephone(),
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
    scheduled.of(scheduled.raise_if_set, 2, raises=(LookupError,)),
    Scenario(scheduled.crossed_with),
    Scenario(scheduled.dict_methods, raises=(KeyError,)),
    Scenario(scheduled.over_release, raises=(ValueError,)),
    Scenario(scheduled.alarm),
    Scenario(scheduled.impatient),
]


# where nothing depends on how processes start
QUICKEST = "fork" if "fork" in get_all_start_methods() else "spawn"


as_partial = partial(scheduled.circle)


def name(value):
    """Return a readable test id."""
    return value if isinstance(value, str) else f"{value.name}, {Model(value).names[0]}"


def counts(explored):
    """Return all that is counted, as the plain enumeration counts it."""
    deadlocks = {DEADLOCK: explored.deadlocks} if explored.deadlocks else {}
    return {**explored.outcomes, **deadlocks}


def make_local_worker():
    """Return a worker that no other process can import."""

    def local_worker(number):
        number.value = 1
        yield

    return local_worker


instruction = st.tuples(st.sampled_from(scheduled.VERBS), st.integers(0, 1))


programs_of_three = st.lists(st.lists(instruction, max_size=4), min_size=1, max_size=3)

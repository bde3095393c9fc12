"""What control finds on real processes is what the model says is possible: the same outcomes, no more and no fewer."""

import functools
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.control import check
from helpers.scheduling import explore
from tests.control.small import DEADLOCK, perform, scenario_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="controlled programs are forked")

variables = st.sampled_from("xy")
plain = st.one_of(
    st.tuples(st.just("add"), variables),
    st.tuples(st.just("set"), variables, st.integers(1, 2)),
    st.tuples(st.just("copy"), variables, variables),
    st.tuples(st.just("put")),
    st.tuples(st.just("try"), variables),
    st.tuples(st.just("up")),
    st.tuples(st.just("down")),
)
steps = st.recursive(
    st.lists(plain, min_size=1, max_size=2),
    lambda inner: st.builds(lambda lock, body: [("with", lock, tuple(body))], st.sampled_from("lm"), inner),
    max_leaves=3,
)
small_programs = st.lists(st.builds(tuple, steps), min_size=2, max_size=2).map(tuple)


# real processes run each again and again; ten times as many with --hypothesis-profile=thorough
@settings(max_examples=settings().max_examples // 10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(code=small_programs)
def test_small_programs_have_the_outcomes_of_their_models(code):
    model = explore(scenario_of(code), grain="access")
    result = check(functools.partial(perform, code), strategy="all", runs=2000)
    if model.deadlocks:
        assert result.failure.reason == DEADLOCK
    else:
        assert result.failure is None
        assert set(result.outcomes) == set(model.outcomes)

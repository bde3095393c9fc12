"""Bad input is named, before anything starts."""

from multiprocessing import active_children

import pytest

from helpers.lessons import interleavings, synchronisation
from helpers.scheduling import (
    explore,
    pct,
    random_walks,
    replay,
    sample,
)
from tests import scheduled
from tests.scheduling.programs import as_partial, make_local_worker


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: explore(7), TypeError, "must be a Scenario or a function of SharedObjects, not 7"),
        (lambda: explore(lambda objects: []), TypeError, "what a scenario returns must be a list of"),
        (lambda: explore(lambda objects: [(print, ())]), TypeError, "worker must be a generator function"),
        (lambda: explore(lambda objects: [print]), TypeError, "each entry that a scenario returns must be"),
        (
            lambda: explore(int),
            TypeError,
            "scenario must be a Scenario or a function of SharedObjects, not <class 'int'>",
        ),
        (lambda: explore(interleavings.increments())[-1], ValueError, "number must be from 0 to 11, not -1"),
        (lambda: explore(interleavings.increments(), grain="line"), ValueError, "grain must be one of"),
        (lambda: explore(interleavings.increments(), grain=None), TypeError, "grain must be one of step, access"),
        (lambda: explore(interleavings.increments(), max_states=0), ValueError, "max_states must be from 1 to"),
        (lambda: explore(lambda objects: [(as_partial, ())]), TypeError, "worker must be a generator function"),
        (lambda: explore(interleavings.increments()).probability(1, "dice"), ValueError, "model must be one of"),
        (lambda: replay(interleavings.increments(), [0, 0, 0]), ValueError, r"schedule\[2\] .* has ended"),
        (lambda: replay(interleavings.increments(), [2]), ValueError, r"schedule\[0\] must be from 0 to 1, not 2"),
        (lambda: replay(synchronisation.philosophers(), [0, 1, 0]), ValueError, "fork 1, held by dine 1"),
        (lambda: replay(interleavings.increments(), [], method="magic"), ValueError, "method must be one of"),
        (lambda: replay(interleavings.increments(), [], method=None), TypeError, "method must be one of"),
        (lambda: replay(interleavings.increments(), [], deadline=-1), ValueError, "deadline must be above 0"),
        (lambda: replay(interleavings.increments(), None), TypeError, "schedule must be a list .* not None"),
        (lambda: replay(interleavings.increments(), "01"), TypeError, "schedule must be a list .* not '01'"),
        (lambda: replay(interleavings.increments(), [0.5]), TypeError, "a whole number from 0 to 1, not 0.5"),
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
    ],
)
def test_bad_input_is_named_before_anything_starts(call, error, words):
    with pytest.raises(error, match=words):
        call()
    assert active_children() == []

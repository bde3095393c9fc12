"""Probes: while they are attached the standard library is another one, afterwards it is as before."""

import sys
from multiprocessing import connection, managers, process, queues, reduction, sharedctypes, synchronize
from multiprocessing.connection import wait
from types import ModuleType

import pytest

from helpers.recording.recorder import record


def probed_attributes():
    """Return every attribute that the probes may touch, to be compared by identity."""
    owners = [
        process.BaseProcess, connection, connection.Connection, queues.Queue, queues.SimpleQueue, queues.JoinableQueue,
        synchronize.SemLock, synchronize.Condition, synchronize.Event, synchronize.Barrier, synchronize.Lock,
        sharedctypes.SynchronizedBase, managers.BaseManager, managers.BaseProxy, managers.Server,
    ]  # fmt: skip
    found = {(owner.__name__, name): value for owner in owners for name, value in vars(owner).items()}
    found.update({("reducer", kind): value for kind, value in reduction.ForkingPickler._extra_reducers.items()})
    found.update({("here", "wait"): wait, ("meta_path",): tuple(sys.meta_path)})
    return found


@pytest.mark.parametrize("error", [None, ZeroDivisionError, KeyboardInterrupt])
def test_afterwards_the_standard_library_is_as_before(error):
    before = probed_attributes()
    try:
        with record():
            assert probed_attributes() != before
            if error:
                raise error
    except (ZeroDivisionError, KeyboardInterrupt):
        pass
    after = probed_attributes()
    assert after.keys() == before.keys()
    assert [key for key in before if after[key] is not before[key] and after[key] != before[key]] == []


def test_a_bad_deadline_is_refused_before_anything_changes():
    before = probed_attributes()
    with pytest.raises(ValueError, match="deadline"), record(deadline=0):
        pass
    assert probed_attributes() == before


def test_wait_is_seen_in_every_module_that_has_imported_it_and_put_back_in_each():
    before = wait
    late = ModuleType("late")
    sys.modules["late"] = late
    try:
        with record():
            exec("from multiprocessing.connection import wait as ready", late.__dict__)
            assert wait is connection.wait is late.ready is not before
        assert wait is connection.wait is late.ready is before
    finally:
        del sys.modules["late"]

"""What multiprocessing objects made in a block would leave behind, and how each is put away.

multiprocessing registers a finalizer for each pool, manager, queue feeder and semaphore, to be run when the object is
collected or the interpreter ends. In a notebook that can be hours later; a supervised block runs them at its end.
"""

import sys
from collections.abc import Callable, Iterator
from multiprocessing import util
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from concurrent.futures import Executor  # each child would load it, and its logging
    from multiprocessing.synchronize import Lock

Key = tuple[int | None, int]

_THREAD_ENDS_WITHIN = 0.5  # seconds for what a pool's thread does in no time when nobody holds it up


class Registered(NamedTuple):
    """What there is at one moment."""

    finalizers: frozenset[Key]
    executors: frozenset[Thread]  # the thread that manages each ProcessPoolExecutor


def registered() -> Registered:
    """Return what there is now."""
    return Registered(frozenset(_finalizers()), frozenset(_executor_threads()))


def made_since(before: Registered) -> frozenset[Key]:
    """Return the keys of the finalizers that were registered since `before`."""
    return registered().finalizers - before.finalizers


def all_but(made: frozenset[Key]) -> Registered:
    """Return what there is now, save for these finalizers: so that `put_away` puts away what is theirs."""
    now = registered()
    return now._replace(finalizers=now.finalizers - made)


def finish_executors(before: Registered) -> None:
    """Let executors made since `before` do what they were given, and end."""
    for executor in _executors_made_since(before):
        executor.shutdown()


def put_away(before: Registered) -> None:
    """Close what was made since `before`: pools, managers, then semaphores; forget queues' unsent items."""
    for executor in _executors_made_since(before):
        executor.shutdown(wait=False, cancel_futures=True)
    for feeder in _made_since(before, "Queue._finalize_join"):
        # it would wait at exit for a reader that no longer exists
        feeder.cancel()
    for finalizer in _made_since(before, "Pool._terminate_pool"):
        _retire(finalizer)
        # not `finalizer()`, which has forgotten what it is to do if an interrupt cuts it short: see `stop_pools`
        vars(finalizer)["_callback"](*vars(finalizer)["_args"])
        finalizer.cancel()
    for kind in ("BaseManager._finalize_manager", "SemLock._cleanup"):
        for finalizer in _made_since(before, kind):
            finalizer()


def stop_pools(before: Registered) -> list[Callable[[], None]]:
    """Keep pools made since `before` from replacing workers; return what ends their threads once workers are gone.

    `Pool.terminate` is no help here: it waits for a lock that a killed worker may hold.
    """
    return [_stop_pool(finalizer) for finalizer in _made_since(before, "Pool._terminate_pool")]


def _stop_pool(finalizer: util.Finalize) -> Callable[[], None]:
    tasks, _, results, _, changes, *handlers, _ = vars(finalizer)["_args"]
    replaces_workers, hands_out_tasks, _ = handlers
    _retire(finalizer)
    finalizer.cancel()
    for handler in handlers:
        handler._state = "TERMINATE"
    # it may just have seen that it is to go on, and would replace workers that are killed now
    changes.put(None)
    replaces_workers.join(_THREAD_ENDS_WITHIN)

    def end_threads() -> None:
        _free(getattr(results, "_wlock", None))
        tasks.put(None)
        hands_out_tasks.join(_THREAD_ENDS_WITHIN)
        results.put(None)
        if writer := getattr(results, "_writer", None):
            # a killed worker's last result may be there in part; only the end of the line ends the wait for the rest
            writer.close()

    return end_threads


def _retire(finalizer: util.Finalize) -> None:
    """Leave a pool as `terminate` does: it takes no more tasks, and does not complain when it is collected."""
    if pool := vars(finalizer)["_weakref"]():
        pool._state = "TERMINATE"


def _free(lock: "Lock | None") -> None:
    """Release what a killed worker may have held while it sent a result, and what both it and a thread here need."""
    if lock is not None:
        lock.acquire(timeout=_THREAD_ENDS_WITHIN)
        lock.release()


def _made_since(before: Registered, kind: str) -> Iterator[util.Finalize]:
    for key in made_since(before):
        finalizer = _finalizers().get(key)
        if finalizer and getattr(vars(finalizer)["_callback"], "__qualname__", "") == kind:
            yield finalizer


def _finalizers() -> dict[Key, util.Finalize]:
    return vars(util)["_finalizer_registry"]


def _executors_made_since(before: Registered) -> Iterator["Executor"]:
    for thread in registered().executors - before.executors:
        # the thread holds a weak reference: a forgotten executor ends by itself
        if executor := vars(thread)["executor_reference"]():
            yield executor


def _executor_threads() -> Iterator[Thread]:
    module = sys.modules.get("concurrent.futures.process")
    yield from getattr(module, "_threads_wakeups", ())

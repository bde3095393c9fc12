"""What multiprocessing objects made in a block would leave behind, and how each is put away.

multiprocessing registers a finalizer for each pool, manager, queue feeder and semaphore, to be run when the object is
collected or the interpreter ends. In a notebook that can be hours later; a supervised block runs them at its end.
"""

from collections.abc import Callable, Iterator
from multiprocessing import util

Key = tuple[int | None, int]


def registered() -> set[Key]:
    """Return the keys of all finalizers there are now."""
    return set(util._finalizer_registry)


def put_away(before: set[Key]) -> None:
    """Close what was made since `before`: pools, managers, then semaphores; forget queues' unsent items."""
    for feeder in _made_since(before, "Queue._finalize_join"):
        # it would wait at exit for a reader that no longer exists
        feeder.cancel()
    for kind in ("Pool._terminate_pool", "BaseManager._finalize_manager", "SemLock._cleanup"):
        for finalizer in _made_since(before, kind):
            finalizer()


def stop_pools(before: set[Key]) -> list[Callable[[], None]]:
    """Keep pools made since `before` from replacing workers; return what ends their threads once workers are gone.

    `Pool.terminate` is no help here: it waits for a lock that a killed worker may hold.
    """
    return [_stop_pool(finalizer) for finalizer in _made_since(before, "Pool._terminate_pool")]


def _stop_pool(finalizer: util.Finalize) -> Callable[[], None]:
    tasks, _, results, _, changes, *handlers, _ = finalizer._args
    finalizer.cancel()
    for handler in handlers:
        handler._state = "TERMINATE"

    def end_threads() -> None:
        tasks.put(None)
        changes.put(None)
        # past the queue's own lock: its last holder may have been killed
        getattr(results, "_writer", results).send(None)

    return end_threads


def _made_since(before: set[Key], kind: str) -> Iterator[util.Finalize]:
    for key in registered() - before:
        finalizer = util._finalizer_registry.get(key)
        if finalizer and getattr(finalizer._callback, "__qualname__", "") == kind:
            yield finalizer

"""The blocks that the campaign interrupts and kills, one of every kind, and the workers of their child processes."""

import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import forkserver, get_all_start_methods, get_context
from multiprocessing.connection import Connection
from multiprocessing.queues import Queue
from multiprocessing.shared_memory import SharedMemory
from multiprocessing.synchronize import Lock

from helpers.lessons.interleavings import increments
from helpers.recording import Trace, record
from helpers.scheduling import keep_workers, replay, sample
from helpers.supervision import expect_failure, supervised

MOMENT = 0.1  # seconds that a child is at work


def answer(line: Connection, queue: Queue, lock: Lock) -> None:
    """Answer one message, and put one item."""
    with lock:
        line.send(line.recv() + 1)
    queue.put("done")


def wait_in_vain(line: Connection) -> None:
    """Wait for a message that nobody sends."""
    line.recv()


def children(method: str, joins: bool) -> None:
    """Start two children; wait for them, or let the end of the block do it."""
    ctx = get_context(method)
    with supervised():
        started = [ctx.Process(target=time.sleep, args=(MOMENT,)) for _ in range(2)]
        for child in started:
            child.start()
        if joins:
            for child in started:
                child.join()


def first_of_a_forkserver() -> None:
    """Start children as the first block of a kernel does, when the forkserver does not run yet."""
    # in a thread, where no Ctrl-C cuts it in two
    stop = threading.Thread(target=forkserver._forkserver._stop)
    stop.start()
    stop.join()
    children("forkserver", joins=True)


def nested(method: str) -> None:
    """One block in another, each with a child."""
    ctx = get_context(method)
    with supervised():
        ctx.Process(target=time.sleep, args=(2 * MOMENT,)).start()
        with supervised():
            ctx.Process(target=time.sleep, args=(MOMENT,)).start()


def recording(method: str, joins: bool) -> Trace:
    """Record a conversation over a pipe and a queue."""
    ctx = get_context(method)
    with record() as run:
        ours, theirs = ctx.Pipe()
        queue, lock = ctx.Queue(), ctx.Lock()
        child = ctx.Process(target=answer, args=(theirs, queue, lock))
        child.start()
        ours.send(1)
        ours.recv()
        queue.get()
        if joins:
            child.join()
    return run


def failing(method: str) -> None:
    """Expect a child to wait in vain until the deadline."""
    ctx = get_context(method)
    with expect_failure(deadline=4 * MOMENT):
        ours, theirs = ctx.Pipe()
        child = ctx.Process(target=wait_in_vain, args=(theirs,))
        child.start()
        child.join()


def short_blocks(method: str, joins: bool) -> None:
    """Open and close blocks one after another, each with a child that ends at once."""
    ctx = get_context(method)
    for _ in range(10):
        with supervised():
            child = ctx.Process(target=abs, args=(1,))
            child.start()
            if joins:
                child.join()


def empty_blocks() -> None:
    """Do nothing but open and close blocks and recordings."""
    for _ in range(20):
        with supervised():
            pass
        with record():
            pass


def pool(method: str) -> None:
    """Share work among a pool, and leave the pool to the block."""
    with supervised():
        get_context(method).Pool(2).map(abs, range(100))


def manager(method: str) -> None:
    """Use a dict of a manager, and leave the manager to the block."""
    with supervised():
        shared = get_context(method).Manager().dict()
        for number in range(100):
            shared[number] = number


def shared_memory(method: str) -> None:
    """Let a child live beside a segment of shared memory."""
    with supervised():
        segment = SharedMemory(create=True, size=4096)
        try:
            get_context(method).Process(target=time.sleep, args=(MOMENT,)).start()
            time.sleep(MOMENT)
        finally:
            segment.close()
            segment.unlink()


def replays() -> None:
    """Play a schedule on fresh processes, then on processes that are kept."""
    replay(increments(2), [0, 1, 0, 1])
    with keep_workers():
        replay(increments(2), [0, 1, 0, 1])
        sample(increments(2), 20)


def panel() -> None:
    """Show a panel and press its button."""
    from helpers.show import lanes, panel

    panel(lambda joins: ({"run": recording(SWIFT, joins)}, "one answer"), draw=lanes, joins=True).press()


def explorer() -> None:
    """Show an explorer; ask it for replays and for free runs, as its page does; put it away with what it keeps."""
    from helpers.show.explorer.explorer import explorer, ready_workers

    ready_workers.idle = MOMENT  # for an interrupt between the last answer and the end
    shown = explorer(increments(2), runs=20)
    replay_request = {"task": "replay", "schedule": [0, 1, 0, 1]}
    try:
        for request in (replay_request, replay_request, {"task": "observe"}):
            shown._handle_custom_msg(request, [])
    finally:
        shown.close()


# what a notebook imports in its first cell; no instrument can mend an import of Matplotlib that is cut in two
FIRST_CELLS = dict.fromkeys(("panel", "explorer"), "import helpers.show.explorer")

# what a notebook imports in its first cell; no instrument can mend an import of Matplotlib that is cut in two
FIRST_CELLS = dict.fromkeys(("panel", "explorer"), "import helpers.show.explorer")


def checking(is_importable: bool) -> None:
    """Check a program that other processes can import, or one that only this process knows."""
    from helpers.control import check
    from tests.control.programs import lost_update

    program = partial(lost_update, SWIFT)
    check(program if is_importable else lambda: program(), strategy="random", runs=10)


METHODS = get_all_start_methods()
SWIFT = "fork" if "fork" in METHODS else "spawn"

BLOCKS: dict[str, Callable[[], object]] = {
    **{f"{method}, join": partial(children, method, joins=True) for method in METHODS},
    **{f"{method}, no join": partial(children, method, joins=False) for method in METHODS},
    **({"forkserver, first": first_of_a_forkserver} if "forkserver" in METHODS else {}),
    **{f"nested, {method}": partial(nested, method) for method in METHODS},
    **{f"record, {method}": partial(recording, method, joins=True) for method in METHODS},
    "record, no join": partial(recording, SWIFT, joins=False),
    "expect_failure": partial(failing, SWIFT),
    "short blocks, join": partial(short_blocks, SWIFT, joins=True),
    "short blocks, no join": partial(short_blocks, SWIFT, joins=False),
    "empty blocks": empty_blocks,
    "pool": partial(pool, SWIFT),
    "manager": partial(manager, "spawn"),
    "shared memory": partial(shared_memory, "spawn"),
    "replay": replays,
    "panel": panel,
    "explorer": explorer,
    **({f"check, {kind}": partial(checking, kind == "file") for kind in ("file", "cell")} if "fork" in METHODS else {}),
}

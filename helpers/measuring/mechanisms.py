"""The ways for two processes to exchange bytes that the lessons measure, each a `helpers.measuring.timing.Mechanism`.

They are listed in ALL: Pipe, Queue, SimpleQueue, shared memory and a Manager's Queue.
"""

from collections.abc import Callable
from ctypes import Array as CArray
from ctypes import c_char
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.managers import SyncManager
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Semaphore
from typing import Any

from helpers import validate
from helpers.contexts import Context
from helpers.measuring.timing import Mechanism, Method

ROOM = 1_000_000  # bytes that one message through shared memory may have


def connect_pipe(ctx: Context) -> tuple[Connection, Connection]:
    """Return the two ends of a duplex pipe."""
    validate.context(ctx)
    return ctx.Pipe()


@dataclass(frozen=True)
class QueueEnd:
    """One end of a line made of two queues, one in each direction."""

    out: Any
    into: Any

    @property
    def put(self) -> Callable[[bytes], None]:
        """What puts a message into the queue that leads to the other end."""
        return self.out.put

    @property
    def get(self) -> Callable[[], bytes]:
        """What gets the next message that comes from the other end."""
        return self.into.get


def connect_queues(ctx: Context) -> tuple[QueueEnd, QueueEnd]:
    """Return two ends that talk through a pair of queues."""
    validate.context(ctx)
    there, back = ctx.Queue(), ctx.Queue()
    return QueueEnd(there, back), QueueEnd(back, there)


def connect_simple_queues(ctx: Context) -> tuple[QueueEnd, QueueEnd]:
    """Return two ends that talk through a pair of simple queues."""
    validate.context(ctx)
    there, back = ctx.SimpleQueue(), ctx.SimpleQueue()
    return QueueEnd(there, back), QueueEnd(back, there)


@dataclass(frozen=True)
class KeeperEnd(QueueEnd):
    """The end that keeps the manager of its queues alive; sent to a child it leaves the manager behind."""

    manager: SyncManager

    def __reduce__(self) -> tuple[type[QueueEnd], tuple[Any, Any]]:
        return QueueEnd, (self.out, self.into)


def connect_through_manager(ctx: Context) -> tuple[QueueEnd, QueueEnd]:
    """Return two ends that talk through a pair of queues in the process of a manager."""
    validate.context(ctx)
    manager = ctx.Manager()
    there, back = manager.Queue(), manager.Queue()
    return KeeperEnd(there, back, manager), QueueEnd(back, there)


@dataclass(frozen=True)
class Slot:
    """One message's place in shared memory, and two semaphores: is it free, is it filled."""

    memory: CArray
    size: Synchronized
    free: Semaphore
    filled: Semaphore

    def put(self, message: bytes) -> None:
        """Copy a message in as soon as the slot is free; ValueError when it has more than ROOM bytes."""
        if len(message) > ROOM:
            raise ValueError(f"message must have 0 to {ROOM:,} bytes, not {len(message):,}")
        self.free.acquire()
        memoryview(self.memory).cast("B")[: len(message)] = message
        self.size.value = len(message)
        self.filled.release()

    def get(self) -> bytes:
        """Copy the message out as soon as there is one."""
        self.filled.acquire()
        message = bytes(memoryview(self.memory).cast("B")[: self.size.value])
        self.free.release()
        return message


def connect_slots(ctx: Context) -> tuple[QueueEnd, QueueEnd]:
    """Return two ends that talk through two slots in shared memory."""
    validate.context(ctx)
    there, back = (
        Slot(ctx.RawArray(c_char, ROOM), ctx.RawValue("q", 0), ctx.Semaphore(1), ctx.Semaphore(0)) for _ in range(2)
    )
    return QueueEnd(there, back), QueueEnd(back, there)


QUEUE_METHODS = Method("put"), Method("get")
PIPE = Mechanism("Pipe", connect_pipe, Method("send"), Method("recv"))
PIPE_BYTES = Mechanism("Pipe.send_bytes", connect_pipe, Method("send_bytes"), Method("recv_bytes"))
QUEUE = Mechanism("Queue", connect_queues, *QUEUE_METHODS)
SIMPLE_QUEUE = Mechanism("SimpleQueue", connect_simple_queues, *QUEUE_METHODS)
SHARED_MEMORY = Mechanism("shared memory", connect_slots, *QUEUE_METHODS)
MANAGER = Mechanism("Manager", connect_through_manager, *QUEUE_METHODS)
ALL = (PIPE, QUEUE, SIMPLE_QUEUE, SHARED_MEMORY, MANAGER)

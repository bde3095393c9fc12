"""What an event of a recording can be, and how it can end."""

from enum import StrEnum


class EventKind(StrEnum):
    """What a process did: in most cases the method that it called."""

    SEND = "send"
    RECV = "recv"
    POLL = "poll"
    PUT = "put"
    GET = "get"
    TASK_DONE = "task_done"
    JOIN = "join"
    ACQUIRE = "acquire"
    RELEASE = "release"
    WAIT = "wait"
    NOTIFY = "notify"
    SET = "set"
    CLEAR = "clear"
    CONNECT = "connect"
    ACCEPT = "accept"
    CALL = "call"  # a method of an object in a manager
    SERVE = "serve"  # the manager's server answers such a call
    STEP = "step"  # of a replay
    START = "start"  # of a process; this and the next three become no events of a trace
    BEGIN = "begin"  # a process begins to run its target
    RUN = "run"  # a process ran its target
    FEED = "feed"  # an item of a queue entered the pipe behind it


class Outcome(StrEnum):
    """How a call ended."""

    OK = "ok"
    END_OF_FILE = "end of file"  # the other side had closed its end: how a reader learns that no more will come
    RAISED = "raised"
    TIMED_OUT = "timed out"  # or it was asked not to wait
    LOST_UPDATE = "lost update"  # it overwrote what another process had written meanwhile
    NEVER_RETURNED = "never returned"

    @property
    def is_failure(self) -> bool:
        """True for what is drawn as a failure."""
        return self not in (Outcome.OK, Outcome.END_OF_FILE)


# kinds of event in which a process may have to wait for another one
WAITING = frozenset(
    {
        EventKind.SEND,
        EventKind.RECV,
        EventKind.POLL,
        EventKind.PUT,
        EventKind.GET,
        EventKind.JOIN,
        EventKind.ACQUIRE,
        EventKind.WAIT,
        EventKind.CONNECT,
        EventKind.ACCEPT,
        EventKind.CALL,
    }
)

"""Every private name of CPython that the instruments use, in one table, asked once before an instrument is used.

Private names may go with any new version of Python. What is missing is said in one sentence, instead of a failure
somewhere else or, worse, a wrong answer.
"""

import sys
from functools import cache
from importlib import import_module
from types import FunctionType
from typing import Any, NamedTuple


class UnsupportedPython(RuntimeError):
    """This Python lacks something that an instrument needs; the message says what."""


class PrivateName(NamedTuple):
    """Something that is not documented: an object, and the names that its code must use (attributes, parameters)."""

    where: str  # such as "multiprocessing.queues:Queue.__init__"
    names: tuple[str, ...] = ()


_PROCESS = "multiprocessing.process:BaseProcess"
_FINALIZER = "multiprocessing.util:Finalize"

TABLE: dict[str, tuple[PrivateName, ...]] = {
    "supervision": (
        PrivateName(f"{_PROCESS}.__init__", ("_target", "_popen")),
        PrivateName(f"{_PROCESS}.start", ("_popen",)),
        PrivateName("multiprocessing.context:SpawnProcess"),
        PrivateName("multiprocessing.util:_run_after_forkers"),
        PrivateName("multiprocessing.util:register_after_fork"),
        PrivateName("multiprocessing.util:_finalizer_registry"),
        PrivateName(f"{_FINALIZER}.__init__", ("_weakref", "_callback", "_args")),
        PrivateName("multiprocessing.queues:Queue._finalize_join"),
        PrivateName(
            "multiprocessing.pool:Pool._terminate_pool",
            (
                *("taskqueue", "inqueue", "outqueue", "pool", "change_notifier"),
                *("worker_handler", "task_handler", "result_handler", "cache"),
            ),
        ),
        PrivateName("multiprocessing.managers:BaseManager._finalize_manager"),
        PrivateName("multiprocessing.synchronize:SemLock._cleanup"),
        PrivateName("sys:_current_frames"),
    ),
    "recording": (
        PrivateName("multiprocessing.connection:_ConnectionBase.send", ("_send_bytes",)),
        PrivateName("multiprocessing.connection:_ConnectionBase.recv", ("_recv_bytes",)),
        PrivateName("multiprocessing.reduction:ForkingPickler._extra_reducers"),
        PrivateName("multiprocessing.queues:Queue.__init__", ("_reader", "_writer")),
        PrivateName("multiprocessing.queues:SimpleQueue.__init__", ("_reader", "_writer")),
        PrivateName("multiprocessing.synchronize:SemLock._make_methods", ("acquire", "release", "_semlock")),
        PrivateName("multiprocessing.synchronize:SemLock.__getstate__"),
        PrivateName("multiprocessing.synchronize:SemLock.__setstate__"),
        PrivateName("multiprocessing.synchronize:Condition.__init__", ("_lock",)),
        PrivateName("multiprocessing.synchronize:Event.__init__", ("_cond",)),
        PrivateName("multiprocessing.synchronize:Barrier.__init__", ("Condition",)),
        PrivateName("threading:Barrier.wait", ("_cond",)),
        PrivateName("multiprocessing.managers:BaseProxy.__init__", ("_token",)),
        PrivateName("multiprocessing.managers:BaseProxy._callmethod", ("send", "recv")),
        PrivateName("multiprocessing.managers:BaseProxy._connect"),
        PrivateName("multiprocessing.managers:Server.serve_client", ("recv", "send")),
        PrivateName("multiprocessing.managers:listener_client"),
        PrivateName("multiprocessing.resource_sharer:_ResourceSharer._start"),
        PrivateName("multiprocessing.resource_sharer:_ResourceSharer.get_connection"),
        PrivateName(f"{_PROCESS}.start", ("_popen",)),
    ),
    "scheduling": (
        PrivateName("types:GeneratorType.gi_frame"),
        PrivateName("types:GeneratorType.gi_yieldfrom"),
        PrivateName("types:FrameType.f_lasti"),
        PrivateName("types:FrameType.f_locals"),
        PrivateName("gc:get_referents"),
        PrivateName("dis:hasjrel"),
        PrivateName("dis:hasjabs"),
        PrivateName("sys:_getframe"),
    ),
    "lessons": (PrivateName("multiprocessing.queues:Queue.__init__", ("_rlock",)),),
}


def missing(instrument: str) -> list[str]:
    """Return what this Python lacks of the private names of an instrument of the `TABLE`, in words."""
    return [words for name in TABLE[instrument] for words in _missing(name)]


@cache
def require(instrument: str) -> None:
    """Do nothing where this Python has all private names that the instrument uses.

    Raises UnsupportedPython, in one sentence that names what is missing.
    """
    if lacks := missing(instrument):
        raise UnsupportedPython(
            f"helpers.{instrument} does not work with Python {sys.version.split()[0]}, which lacks "
            f"{', '.join(lacks)}; use a version of Python that the README names."
        )


def _missing(name: PrivateName) -> list[str]:
    module, path = name.where.split(":")
    try:
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return [name.where.replace(":", ".")]
    used = _names_in(found)
    return [f"{one} in {name.where.replace(':', '.')}" for one in name.names if one not in used]


def _names_in(function: Any) -> set[str]:
    plain = getattr(function, "__func__", function)
    if not isinstance(plain, FunctionType):
        return set()
    code = plain.__code__
    return {*code.co_names, *code.co_varnames, *code.co_freevars}

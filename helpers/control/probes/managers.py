"""Probes on the proxies of a manager: a call is one step. The manager's own process is served, not scheduled."""

import functools
import pickle
from collections.abc import Callable
from multiprocessing import managers
from queue import Empty, Full
from types import SimpleNamespace
from typing import Any

from helpers.control.participant import Participant, current, digest_of, here
from helpers.control.probes.wrapping import exempt, in_words, own_copy

__tracebackhide__ = True  # an instrument: never the place where somebody waits

# methods of managed objects that change nothing
_READS = frozenset(
    {"__getitem__", "__len__", "__contains__", "__iter__", "__reversed__", "__getattribute__", "copy", "count", "empty",
     "full", "get", "index", "is_set", "items", "keys", "qsize", "values"}
)  # fmt: skip
_QUEUES = ("Queue", "JoinableQueue")


def install() -> None:
    """Stop before every call of a proxy."""
    manager, proxy = managers.BaseManager, managers.BaseProxy
    for method in ("start", "connect", "_finalize_manager", "_number_of_objects", "_debug_info"):
        exempt(manager, method)
    for method in ("_connect", "_incref", "_decref"):
        exempt(proxy, method)
    # what a manager's own methods say to its process, beside the calls of proxies
    exempt(managers, "dispatch")
    for name, (listener, client) in list(managers.listener_client.items()):
        clients = SimpleNamespace(client=client)
        exempt(clients, "client")
        managers.listener_client[name] = listener, clients.client
    manager._create = _noted(vars(manager)["_create"])
    own_copy(proxy, "_callmethod")
    proxy._callmethod = _controlled(proxy._callmethod)


def _noted(plain: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def create(self: Any, typeid: str, /, *args: Any, **kwargs: Any) -> Any:
        participant = here()
        if participant is None:
            return plain(self, typeid, *args, **kwargs)
        participant.exemptions += 1
        try:
            token, exposed = plain(self, typeid, *args, **kwargs)
        finally:
            participant.exemptions -= 1
        participant.accessed("new", f"{typeid}\t{token.id}", 0)
        return token, exposed

    return create


def _controlled(plain: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def callmethod(self: Any, methodname: str, args: tuple = (), kwds: dict | None = None) -> Any:
        participant = current()
        if participant is None:
            return plain(self, methodname, args, kwds or {})
        typeid = self._token.typeid
        thing = f"{typeid}\t{self._token.id}"

        def call(*arguments: Any) -> Any:
            asked = arguments, kwds or {}
            return _served(participant, thing, methodname, asked, lambda: plain(self, methodname, *asked))

        if methodname == "acquire":
            return _try_till_done(participant, thing, methodname, args, 0, lambda: call(False))
        if typeid in _QUEUES and methodname in ("get", "put"):
            return _queue_call(participant, thing, methodname, args, kwds or {}, plain, self)
        if typeid == "Event" and methodname == "wait":
            methodname = "is_set"
            return _try_till_done(participant, thing, "wait", (True, *args), 0, call)
        if methodname in ("wait", "wait_for") or (typeid == "JoinableQueue" and methodname == "join"):
            participant.refuse(
                f"{typeid}.{methodname} of a manager waits in the manager's process, out of control's sight; "
                f"use multiprocessing's own {typeid}"
            )
        participant.before("call", thing)
        participant.add_detail(_call_in_words(methodname, args))
        return call(*args)

    return callmethod


def _served(participant: Participant, thing: str, method: str, asked: tuple, serve: Callable[[], Any]) -> Any:
    """Have a call done by the manager, and note what it accessed, with which arguments, and what came of it."""
    changes = method not in _READS
    participant.exemptions += 1
    try:
        result = serve()
        changes = changes and not (method == "acquire" and result is False)
    except Exception as error:
        participant.learn(repr(error).encode())
        raise
    finally:
        participant.exemptions -= 1
        participant.accessed(*(("o", thing, _change(method, asked)) if changes else ("r", thing)))
    participant.learn(_digestible(result))
    if result is not None:
        participant.add_detail(f"gives {in_words(result)}")
    return result


def _change(method: str, asked: tuple) -> bytes:
    """Return what tells a change of a managed object from others: "append 1" and "append 2" do not come to the same."""
    return method.encode() + b" " + digest_of(_digestible(asked))


def _digestible(result: Any) -> bytes:
    try:
        return pickle.dumps(result)
    except Exception:
        return repr(type(result)).encode()


def _call_in_words(method: str, args: tuple) -> str:
    return f"{method}({', '.join(map(in_words, args))})"


def _try_till_done(
    participant: Participant, thing: str, kind: str, args: tuple, block_at: int, attempt: Callable[[], bool]
) -> bool:
    """Try a call that may have to wait in the manager again after each change, rather than wait there."""
    blocks = args[block_at] if len(args) > block_at else True
    timeout = args[block_at + 1] if len(args) > block_at + 1 else None
    participant.before(kind, thing)
    while True:
        result = attempt()
        if result or not blocks:
            return result
        if not participant.stop(kind, thing, ("change", thing), timeout is not None):
            return False


def _queue_call(
    participant: Participant, thing: str, method: str, args: tuple, kwds: dict, plain: Callable[..., Any], proxy: Any
) -> Any:
    own = 1 if method == "put" else 0
    item, options = args[:own], dict(zip(("block", "timeout"), args[own:], strict=False)) | kwds
    if method == "put" and not item:
        item = (options.pop("item"),)
    blocks, timeout = options.get("block", True), options.get("timeout")
    participant.before(method, thing)
    while True:
        try:
            participant.add_detail(_call_in_words(method, item))
            result = _served(participant, thing, "get", (), lambda: plain(proxy, method, (*item, False)))
            participant.accessed("o", thing, _change(method, item))
            return result
        except (Empty, Full):
            if not blocks or not participant.stop(method, thing, ("change", thing), timeout is not None):
                raise

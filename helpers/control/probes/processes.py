"""Probes on processes: start, begin, join and end; and on the time that passes in them."""

import functools
import os
import pickle
import sys
import time
from collections.abc import Callable
from multiprocessing import (
    context,
    managers,
    pool,
    popen_fork,
    process,
    queues,
    synchronize,
    util,
)
from typing import Any

from helpers.control import party as parties
from helpers.control.party import current, here, is_own, new_token
from helpers.control.probes.channels import replace_everywhere
from helpers.control.probes.threads import Standin
from helpers.control.probes.wrapping import unseen, whole

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_plain_start, _plain_join = process.BaseProcess.start, process.BaseProcess.join
_plain_bootstrap, _plain_sleep = process.BaseProcess._bootstrap, time.sleep
Connect = Callable[[list[int]], tuple[int, int]]

grain = "operation"  # of this run


def install(connect_to_new_process: Connect | None) -> None:
    """Stop before every operation on a process; spawned ones come from where `connect_to_new_process` gets them."""
    base = process.BaseProcess
    base.start, base.join, base._bootstrap = _start, _join, _bootstrap
    parties.roots |= {_bootstrap.__code__, perform_program.__code__}
    for name in ("exitcode",):
        setattr(base, name, property(_look(name, vars(base)[name].fget)))
    base.is_alive = _look("is_alive", base.is_alive)
    for method in ("terminate", "kill", "interrupt"):
        if method in vars(base):
            whole(base, method, method, _thing, stops=True)
    popen_fork.Popen._send_signal = _noted_signal(popen_fork.Popen._send_signal)
    unseen(popen_fork.Popen, "poll")
    if connect_to_new_process:
        _spawn_from(connect_to_new_process)
    replace_everywhere(time.sleep, _sleep)
    time.sleep = _sleep
    # not in `connection`, whose loops end when time passes
    for module in (managers, pool, queues, synchronize):
        if hasattr(module, "time"):
            module.time = Standin(time, monotonic=parties.clock, sleep=_sleep)


def perform_program(program: Callable[[], Any], grain_of_run: str) -> None:
    """Be the first party: call the program, tell its outcome, and leave as a program does."""
    global grain
    grain = grain_of_run
    party = parties.Party("main", "main")
    parties.become(party)
    party.stop("begin")
    _trace_lines()
    try:
        outcome = program()
    except SystemExit as error:
        sys.settrace(None)
        party.end(error.code if isinstance(error.code, int) else int(error.code is not None))
        return
    except BaseException as error:
        sys.settrace(None)
        party.tell_crash(_words_for(error))
        sys.excepthook(*sys.exc_info())
        party.end(1)
        return
    sys.settrace(None)
    party.tell_outcome(_packed(outcome, party))
    util._exit_function()
    util._flush_std_streams()
    party.end(0)
    parties.become(None)


def _packed(outcome: Any, party: parties.Party) -> bytes:
    try:
        hash(outcome)
        return pickle.dumps(outcome)
    except Exception as error:
        party.give_up(f"the program must return something hashable that can be pickled, not {outcome!r} ({error})")
        raise


def _start(child: Any) -> None:
    party = current()
    if party is None:
        _plain_start(child)
        return
    party.stop("start", f"{child.name}\t")
    token = child._control_token = new_token()
    party.free += 1
    try:
        _plain_start(child)
    finally:
        party.free -= 1
    party.touch("birth", token, child.name, "process", child.pid)
    if child._popen.method != "fork":
        # it imports and unpickles meanwhile; nothing else may happen until it has
        party.settle()


def _bootstrap(child: Any, parent_sentinel: Any = None) -> int:
    token = child.__dict__.get("_control_token")
    if token is None:
        parties.become(None)
        return _plain_bootstrap(child, parent_sentinel)
    party = parties.Party(token, child.name)
    parties.become(party)
    party.stop("begin", f"{child.name}\t")
    child.run = functools.partial(_run, child.run, party)
    code = _plain_bootstrap(child, parent_sentinel)
    util._exit_function()
    util._flush_std_streams()
    party.end(code)
    parties.become(None)
    return code


def _run(plain: Callable[[], None], party: parties.Party) -> None:
    _trace_lines()
    try:
        plain()
    except SystemExit:
        raise
    except BaseException as error:
        party.tell_crash(_words_for(error))
        raise
    finally:
        sys.settrace(None)


def _words_for(error: BaseException) -> str:
    trace, place = error.__traceback__, ""
    while trace:
        if is_own(trace.tb_frame.f_code, trace.tb_frame.f_globals):
            place = f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}, line {trace.tb_lineno})"  # noqa: PTH119
        trace = trace.tb_next
    return f"{type(error).__name__}: {error}{place}"


def _thing(child: Any) -> str:
    return f"{child.name}\t{child.__dict__.get('_control_token', '')}"


def _join(child: Any, timeout: float | None = None) -> None:
    party, token = current(), child.__dict__.get("_control_token")
    if party and token and child._popen is not None:
        if not party.before("join", _thing(child), ("end", token), lambda: True, timeout):
            return
        party.touch("r", f"end {token}")
        timeout = None
    if party:
        party.free += 1
    try:
        _plain_join(child, timeout)
    finally:
        if party:
            party.free -= 1


def _look(method: str, plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(plain)
    def look(child: Any) -> Any:
        party, token = current(), child.__dict__.get("_control_token")
        if party is None or token is None or child is process._current_process:
            return plain(child)
        party.before(method, _thing(child))
        party.free += 1
        try:
            result = plain(child)
        finally:
            party.free -= 1
        party.touch("r", f"end {token}")
        party.learn(str(result).encode())
        party.say(str(result))
        return result

    return look


def _noted_signal(plain: Callable[[Any, int], None]) -> Callable[[Any, int], None]:
    @functools.wraps(plain)
    def send_signal(popen: Any, number: int) -> None:
        plain(popen, number)
        if party := here():
            party.touch("signal", popen.pid)
            party.settle()

    return send_signal


def _sleep(seconds: float) -> None:
    """Let the others go first (see `time.sleep`)."""
    party = current() if here() else None
    if party is None:
        _plain_sleep(seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    party.before("sleep", "", would_wait=lambda: True)
    parties.pass_time(seconds)


def _spawn_from(connect_to_new_process: Connect) -> None:
    from multiprocessing import forkserver, popen_forkserver

    forkserver.connect_to_new_process = connect_to_new_process

    class Spawned(popen_forkserver.Popen):
        method = "spawn"

    class Served(popen_forkserver.Popen):
        method = "forkserver"

    unseen(popen_forkserver.Popen, "poll")
    context.SpawnProcess._Popen = staticmethod(Spawned)
    context.ForkServerProcess._Popen = staticmethod(Served)


def _trace_lines() -> None:
    if grain == "line":
        sys.settrace(_begin_call)


def _begin_call(frame: Any, event: str, _: Any) -> Any:
    return _at_line if is_own(frame.f_code, frame.f_globals) else None


def _at_line(frame: Any, event: str, _: Any) -> Any:
    if event == "line" and (party := current()) and party.operation is None:
        party.stop("line", "", place=(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        party.touch("outside", "a line")
    return _at_line

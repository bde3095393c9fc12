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
    process,
    queues,
    synchronize,
    util,
)
from types import TracebackType
from typing import Any

from helpers.control import participant as participants
from helpers.control.participant import current, here, is_own, new_token
from helpers.control.probes.channels import replace_everywhere
from helpers.control.probes.threads import Overlay
from helpers.control.probes.wrapping import exempt, whole

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_plain_start, _plain_join = process.BaseProcess.start, process.BaseProcess.join
_plain_bootstrap, _plain_sleep = process.BaseProcess._bootstrap, time.sleep
Connect = Callable[[list[int]], tuple[int, int]]

grain = "operation"  # of this run


def install(connect_to_new_process: Connect) -> None:
    """Stop before every operation on a process; spawned ones come from where `connect_to_new_process` gets them."""
    base = process.BaseProcess
    base.start, base.join, base._bootstrap = _start, _join, _bootstrap
    participants.roots |= {_bootstrap.__code__, perform_program.__code__}
    for name in ("exitcode",):
        setattr(base, name, property(_look(name, vars(base)[name].fget)))
    base.is_alive = _look("is_alive", base.is_alive)
    for method in ("terminate", "kill", "interrupt"):
        if method in vars(base):
            whole(base, method, method, _thing, stops=True)
    util._exit_function = functools.partial(util._exit_function, active_children=_children_left)
    replace_everywhere(os.kill, _kill)
    from multiprocessing import popen_fork  # which Windows cannot import

    exempt(popen_fork.Popen, "poll")
    _spawn_from(connect_to_new_process)
    replace_everywhere(time.sleep, _sleep)
    time.sleep = _sleep
    # not in `connection`, whose loops end when time passes
    for module in (managers, pool, queues, synchronize):
        if hasattr(module, "time"):
            module.time = Overlay(time, monotonic=participants.clock, sleep=_sleep)


def perform_program(program: Callable[[], Any], grain_of_run: str) -> None:
    """Be the first participant: call the program, tell its outcome, and leave as a program does."""
    global grain
    grain = grain_of_run
    participant = participants.Participant("main", "main")
    participants.become(participant)
    participant.stop("begin")
    _trace_lines()
    try:
        outcome = program()
    except SystemExit as error:
        sys.settrace(None)
        if not isinstance(error.code, int | None):
            print(error.code, file=sys.stderr)
        participant.end(error.code if isinstance(error.code, int) else int(error.code is not None))
        return
    except BaseException as error:
        sys.settrace(None)
        participant.tell_crash(_words_for(error))
        error.__traceback__ = _own_part(error.__traceback__)
        sys.excepthook(type(error), error, error.__traceback__)
        participant.end(1)
        return
    sys.settrace(None)
    participant.tell_outcome(_packed(outcome, participant))
    util._exit_function()
    util._flush_std_streams()
    participant.end(0)
    participants.become(None)


def _packed(outcome: Any, participant: participants.Participant) -> bytes:
    try:
        hash(outcome)
        return pickle.dumps(outcome)
    except Exception as error:
        participant.refuse(f"the program must return something hashable that can be pickled, not {outcome!r} ({error})")
        raise


def _start(child: Any) -> None:
    participant = current()
    if participant is None:
        _plain_start(child)
        return
    participant.stop("start", f"{child.name}\t")
    token = child._control_token = new_token()
    participant.exemptions += 1
    try:
        _plain_start(child)
    finally:
        participant.exemptions -= 1
    participant.accessed("started", token, child.name, "process", child.pid)
    if child._popen.method != "fork":
        # it imports and unpickles meanwhile; nothing else may happen until it has
        participant.settle()


def _bootstrap(child: Any, parent_sentinel: Any = None) -> int:
    token = child.__dict__.get("_control_token")
    if token is None:
        participants.become(None)
        return _plain_bootstrap(child, parent_sentinel)
    participant = participants.Participant(token, child.name)
    participants.become(participant)
    participant.stop("begin", f"{child.name}\t")
    child.run = functools.partial(_run, child.run, participant)
    code = _plain_bootstrap(child, parent_sentinel)
    util._exit_function()
    util._flush_std_streams()
    participant.end(code)
    participants.become(None)
    return code


def _children_left() -> list[Any]:
    """Return the children that have not ended, in order of their start, and note whose end was asked for."""
    participant = here()
    for child in sorted(process._children, key=lambda child: child._identity):
        token = child.__dict__.get("_control_token")
        # who was killed has ended, whatever else has happened
        if participant and token and not child.__dict__.get("_control_is_killed"):
            participant.accessed("v", f"end {token}")
    return sorted(process.active_children(), key=lambda child: child._identity)


def _run(plain: Callable[[], None], participant: participants.Participant) -> None:
    _trace_lines()
    try:
        plain()
    except SystemExit:
        raise
    except BaseException as error:
        participant.tell_crash(_words_for(error))
        raise
    finally:
        sys.settrace(None)


def _words_for(error: BaseException) -> str:
    trace, place = error.__traceback__, ""
    while trace:
        if is_own(trace.tb_frame.f_code, trace.tb_frame.f_globals):
            place = f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}, line {trace.tb_lineno})"  # noqa: PTH119
        trace = trace.tb_next
    try:
        words = f": {error}" if str(error) else ""
    except Exception:
        words = ""
    return f"{type(error).__name__}{words}{place}"


def _own_part(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback without its beginning, where the instrument calls the program."""
    own = trace
    while own and not is_own(own.tb_frame.f_code, own.tb_frame.f_globals):
        own = own.tb_next
    return own or trace


def _thing(child: Any) -> str:
    return f"{child.name}\t{child.__dict__.get('_control_token', '')}"


def _join(child: Any, timeout: float | None = None) -> None:
    participant, token = current(), child.__dict__.get("_control_token")
    if participant and token and child._popen is not None:
        if not participant.before("join", _thing(child), ("end", token), lambda: True, timeout):
            return
        participant.accessed("r", f"end {token}")
        timeout = None
    if participant:
        participant.exemptions += 1
    try:
        _plain_join(child, timeout)
    finally:
        if participant:
            participant.exemptions -= 1


def _look(method: str, plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(plain)
    def look(child: Any) -> Any:
        participant, token = current(), child.__dict__.get("_control_token")
        if participant is None or token is None or child is process._current_process:
            return plain(child)
        participant.before(method, _thing(child))
        participant.exemptions += 1
        try:
            result = plain(child)
        finally:
            participant.exemptions -= 1
        participant.accessed("r", f"end {token}")
        participant.learn(str(result).encode())
        participant.add_detail(str(result))
        return result

    return look


def _kill(pid: int, number: int) -> None:
    """Send a signal (see `os.kill`), and wait until whoever it ends has ended."""
    participant = here() if number and pid != os.getpid() else None
    if participant is None:
        participants.plain_kill(pid, number)
        return
    child = next((child for child in process._children if child.pid == pid), None)
    if not participant.exemptions:
        participant.before("kill", _thing(child) if child else "")
    if child:
        child._control_is_killed = True
    participants.plain_kill(pid, number)
    participant.accessed("signal", pid)
    participant.settle()


def _sleep(seconds: float) -> None:
    """Let the others go first (see `time.sleep`)."""
    participant = current() if here() else None
    if participant is None:
        _plain_sleep(seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    participant.before("sleep", "", would_wait=lambda: True)
    participants.pass_time(seconds)


def _spawn_from(connect_to_new_process: Connect) -> None:
    from multiprocessing import forkserver, popen_forkserver

    forkserver.connect_to_new_process = connect_to_new_process

    class Spawned(popen_forkserver.Popen):
        method = "spawn"

    class Served(popen_forkserver.Popen):
        method = "forkserver"

    exempt(popen_forkserver.Popen, "poll")
    context.SpawnProcess._Popen = staticmethod(Spawned)
    context.ForkServerProcess._Popen = staticmethod(Served)


def _trace_lines() -> None:
    if grain == "line":
        sys.settrace(_begin_call)


def _begin_call(frame: Any, event: str, _: Any) -> Any:
    return _at_line if is_own(frame.f_code, frame.f_globals) else None


def _at_line(frame: Any, event: str, _: Any) -> Any:
    if event == "line" and (participant := current()) and participant.operation is None:
        participant.stop("line", "", place=(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        participant.accessed("untracked", "a line")
    return _at_line

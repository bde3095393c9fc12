"""Programs that do what programs should not, for the tests of control."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import RawValue, get_context


def _join_one(method, function, *arguments):
    ctx = get_context(method)
    child = ctx.Process(target=function, args=arguments, name="child")
    child.start()
    child.join()
    return child.exitcode


def leave_at_once(code):
    os._exit(code)


def be_killed():
    os.kill(os.getpid(), signal.SIGKILL)


def loop_for_ever():
    while True:
        pass


def sleep_for_ever(value):
    while not value.value:
        time.sleep(1)


def fail():
    raise ValueError("the worker's own words")


def start_and_leave(note):
    forgotten = subprocess.Popen(["sleep", "60"], start_new_session=True)
    note.write_text(str(forgotten.pid))
    os._exit(0)


def keep_lock_and_die(lock):
    lock.acquire()
    os.kill(os.getpid(), signal.SIGKILL)


def child_leaves(method, code=3):
    return _join_one(method, leave_at_once, code)


def child_is_killed(method):
    return _join_one(method, be_killed)


def child_loops(method):
    return _join_one(method, loop_for_ever)


def child_fails(method):
    return _join_one(method, fail)


def child_leaves_a_grandchild(note, method):
    return _join_one(method, start_and_leave, note)


def waits_for_itself(note, method):
    lock = get_context(method).Lock()
    note.write_text(lock._semlock.name)
    lock.acquire()
    lock.acquire()


def leaves_a_lock(note, method):
    lock = get_context(method).Lock()
    note.write_text(lock._semlock.name)
    os._exit(3)


def forks_by_itself():
    if os.fork() == 0:
        os._exit(0)
    os.wait()


def kills_its_child(method):
    ctx = get_context(method)
    child = ctx.Process(target=sleep_for_ever, args=(ctx.Value("i", 0),), name="child")
    child.start()
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    return child.exitcode


def counts_for_ever(method):
    counter = get_context(method).Value("i", 0)
    while True:
        counter.value += 1


def write_once(book):
    book.value = 1


def leave_a_daemon(method, book):
    get_context(method).Process(target=write_once, args=(book,), name="daemon", daemon=True).start()
    time.sleep(0.1)


def daemon_of_a_sleeper(method):
    ctx = get_context(method)
    book = ctx.Value("i", 0)
    sleeper = ctx.Process(target=leave_a_daemon, args=(method, book), name="sleeper")
    sleeper.start()
    sleeper.join()
    return book.value


def kill_parent():
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1)


def child_kills_its_parent(method):
    return _join_one(method, kill_parent)


def size_of(data):
    return len(data)


def returns_much():
    return b"x" * 1_000_000


def says_why_it_exits():
    sys.exit("there is no such bank")


def child_exits_politely(method):
    return _join_one(method, sys.exit, 0)


def everybody_waits_for_nothing(method):
    value = get_context(method).Value("i", 0)
    return _join_one(method, sleep_for_ever, value)


def lock_of_the_dead(method):
    ctx = get_context(method)
    lock = ctx.Lock()
    child = ctx.Process(target=keep_lock_and_die, args=(lock,), name="child")
    child.start()
    lock.acquire()


def terminated_child(method):
    ctx = get_context(method)
    child = ctx.Process(target=sleep_for_ever, args=(ctx.Value("i", 0),), name="child", daemon=True)
    child.start()
    child.terminate()
    child.join()
    return child.exitcode


def program_leaves():
    os._exit(4)


def program_loops():
    loop_for_ever()


def program_fails():
    raise KeyError("nothing there")


def draws(method):
    random.seed()
    value = get_context(method).Value("i", random.randrange(10**9))
    return value.value


def clocked(method):
    value = get_context(method).Value("d", 0.0)
    if time.perf_counter_ns() // 1000 % 2:
        value.value = 1.0
    return value.value


def uses_a_thread(method):
    value = get_context(method).Value("i", 0)
    thread = threading.Thread(target=setattr, args=(value, "value", 1))
    thread.start()
    thread.join()
    return value.value


def returns_a_list():
    return [1]


def sends_its_pid(method):
    ctx = get_context(method)
    queue = ctx.SimpleQueue()
    children = [ctx.Process(target=put_pid, args=(queue,)) for _ in range(2)]
    for child in children:
        child.start()
    found = {queue.get(), queue.get()}
    for child in children:
        child.join()
    return len(found)


def put_pid(queue):
    queue.put(os.getpid())


def add_raw(number, lock):
    with lock:
        value = number.value
    with lock:
        number.value = value + 1


def raw_memory(method):
    """Each access has a lock of its own, so the outcome depends on the order of the sections."""
    ctx = get_context(method)
    number, lock = RawValue("i", 0), ctx.Lock()
    children = [ctx.Process(target=add_raw, args=(number, lock)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return number.value


def counts_its_runs(method, note):
    with note.open("a") as file:
        file.write("x")
    return note.stat().st_size

"""Workers for the tests of the recorder."""

import os
import signal
import sys
from multiprocessing import get_context
from multiprocessing.connection import Client


def answer(connection):
    connection.send(connection.recv() + 1)


def answer_bytes(connection):
    if connection.poll(5):
        connection.send_bytes(connection.recv_bytes())


def put_numbers(queue, numbers):
    for number in numbers:
        queue.put(number)


def use_locks(lock, condition, event, barrier, value, array):
    barrier.wait()
    with lock:
        value.value = 1
    with condition:
        condition.notify()
    with array.get_lock():
        array[0] = 1
    event.set()


def take_and_finish(queue):
    queue.get()
    queue.task_done()


def add_to(shared):
    shared["sum"] = 1


def square(number):
    return number * number


def start_a_grandchild(connection):
    child = get_context("spawn").Process(target=answer, args=(connection,))
    child.start()
    child.join()


def send_and_be_killed(connection):
    connection.send("last words")
    os.kill(os.getpid(), signal.SIGKILL)


def send_and_exit(connection):
    connection.send("last words")
    os._exit(0)


def receive_for_ever(connection):
    connection.recv()


def talk(address, key):
    """Connect, send a question and read the answer, over and over."""
    with Client(address, authkey=key) as line:
        for number in range(3):
            line.send(number)
            assert line.recv() == number * number


def read_from_the_end_sent_here(connection):
    end = connection.recv()
    connection.send(end.recv())


def start_talking_grandchildren(method, connection):
    ctx = get_context(method)
    ours, theirs = ctx.Pipe()
    with ctx.Manager() as manager:
        child = ctx.Process(target=answer, args=(theirs,))
        child.start()
        ours.send(1)
        manager.list().append(ours.recv())
        child.join()
    connection.send("done")


def exit_with_3():
    sys.exit(3)


def fork_and_talk(connection):
    """Fork as `os` does it: the process is none of multiprocessing's."""
    if os.fork() == 0:
        for _ in range(100):
            connection.send(b"from a stranger")
        os._exit(0)
    os.wait()
    connection.send(b"from the child")

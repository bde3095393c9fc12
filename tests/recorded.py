"""Workers for the tests of the recorder."""

import os
import signal
from multiprocessing import get_context


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


def put_for_ever(queue):
    while True:
        queue.put(b"x")

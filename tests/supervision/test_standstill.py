"""A look-out tells when a process waits: not before, on however busy a machine."""

import json
import subprocess
import sys
import threading
import time
from subprocess import PIPE

from helpers.supervision.standstill import STANDING_STILL, let_others_go_on, when_stuck


def wait():
    when_stuck(lambda: print("waits", flush=True))
    sys.stdin.read()


def work_then_wait():
    when_stuck(lambda: print("waits", flush=True))
    # until the look-out has spent on it what would do to find four that wait
    while time.process_time() - time.thread_time() < 4 * STANDING_STILL:
        json.dumps(list(range(1_000)))
        time.sleep(0.001)
    print("worked")
    sys.stdin.read()


def work_at_one_instruction_then_wait():
    when_stuck(lambda: print("waits", flush=True))
    while time.thread_time() < 4 * STANDING_STILL:
        pass
    print("worked")
    sys.stdin.read()


def told_by(work):
    """Return what a Python prints that does this work, and whose wait ends when it is found waiting."""
    code = f"from tests.supervision.test_standstill import {work.__name__} as work; work()"
    told = []
    with subprocess.Popen([sys.executable, "-c", code], stdin=PIPE, stdout=PIPE, text=True) as process:
        for line in process.stdout:
            told.append(line.strip())
            if told[-1] == "waits":
                process.stdin.close()
    return told


def test_a_process_that_waits_is_found_waiting():
    assert told_by(wait) == ["waits"]


def test_a_process_at_work_is_found_waiting_only_when_it_waits():
    assert told_by(work_then_wait) == ["worked", "waits"]


def test_nor_does_a_loop_look_like_waiting():
    assert told_by(work_at_one_instruction_then_wait) == ["worked", "waits"]


def test_others_that_could_go_on_have_gone_on():
    went_on, begin = [], [threading.Event() for _ in range(20)]
    for event in begin:
        threading.Thread(target=lambda event=event: (event.wait(), went_on.append(event))).start()
    for event in begin:
        event.set()
    let_others_go_on()
    assert len(went_on) == 20

"""The workers and the check of lesson 00."""

import os
import re
import subprocess
import sys
import time
from multiprocessing import get_all_start_methods, get_context

import pytest

from helpers.lessons import start_here
from helpers.lessons.start_here import Stint
from helpers.show import lanes
from helpers.supervision.supervisor import supervised

each_method = pytest.mark.parametrize("method", get_all_start_methods())


def answer_of(method, worker, *arguments):
    with supervised():
        ctx = get_context(method)
        ours, theirs = ctx.Pipe()
        ctx.Process(target=worker, args=(theirs, *arguments)).start()
        return ours.recv()


@each_method
def test_a_child_greets(method):
    assert answer_of(method, start_here.greet, "Ada") == "hello from Ada"


@each_method
def test_a_child_counts_in_its_own_memory(method):
    report = answer_of(method, start_here.add_one)
    assert report["counter"] == 1 and report["pid"] != os.getpid()
    assert start_here.counter == 0


@each_method
def test_work_keeps_a_processor_busy(method):
    start = get_context(method).Barrier(1)
    before = time.perf_counter()
    stint = answer_of(method, start_here.work, start, 200_000)
    assert before < stint.begin < stint.end < time.perf_counter()
    assert 0 < stint.busy <= stint.end - stint.begin + 0.02  # where the clock of processor time is coarse


@pytest.mark.parametrize(
    ("stints", "busy", "seconds"),
    [
        ([Stint(10.0, 12.0, 2.0)], 2, 2),
        ([Stint(10.0, 12.0, 2.0), Stint(10.0, 12.0, 2.0)], 4, 2),
        ([Stint(10.0, 12.0, 1.0), Stint(11.0, 13.0, 1.0)], 2, 3),  # they took turns on one processor
        ([Stint(10.0, 12.0, 2.0), Stint(12.0, 14.0, 2.0)], 4, 4),  # one began when the other had ended
        ([Stint(10.0, 10.25, 2.0)], 0.25, 0.25),  # a coarse clock of processor time
    ],
)
def test_work_is_counted_from_the_first_begin_to_the_last_end(stints, busy, seconds):
    assert start_here.done_together(stints) == (busy, seconds)


@pytest.mark.parametrize("children", [1, 2, 5])
def test_no_more_processors_are_at_work_than_there_are(children):
    _, verdict = start_here.share_work(children, 100, "spawn")
    at_work = float(re.search(r": ([\d.]+) processors at work", verdict)[1])
    assert 0 < at_work <= min(children, len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count())


@each_method
def test_work_is_shared(method):
    data, verdict = start_here.share_work(2, 100, method)
    picture = lanes(**data)
    assert picture.words.count("child 1") and "processors at work" in verdict


@pytest.mark.parametrize("children", [0, -1, 10**6])
def test_a_number_of_children_out_of_range_is_refused(children):
    with pytest.raises(ValueError, match=f"children must be from 1 to 32, not {children}"):
        start_here.share_work(children, 100, "spawn")


@pytest.mark.parametrize("children", [1.5, "two", None])
def test_what_is_no_number_of_children_is_refused(children):
    with pytest.raises(TypeError, match=f"children must be a whole number from 1 to 32, not {children!r}"):
        start_here.share_work(children, 100, "spawn")


def test_an_unknown_start_method_is_refused():
    with pytest.raises(ValueError, match="method must be one of .*, not 'teleport'"):
        start_here.share_work(1, 100, "teleport")


def test_the_check_names_what_it_found():
    checks = {check.what: check for check in start_here.check_machine()}
    assert list(checks) == ["Python", "packages", "start methods", "processor cores", "processes left behind",
                            "semaphores left behind"]  # fmt: skip
    assert checks["Python"].ok and checks["packages"].ok and "spawn" in checks["start methods"].found
    assert all(check.repair == "" for check in checks.values() if check.ok)


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="this system keeps no semaphores in files")
def test_a_semaphore_left_behind_is_found_with_the_command_that_removes_it():
    name = f"sem.mp-test{os.getpid()}"
    subprocess.run([sys.executable, "-c", f"open('/dev/shm/{name}', 'w')"], check=True)
    try:
        check = start_here.check_machine()[-1]
        assert not check.ok and f"/dev/shm/{name}" in check.repair
        # only ours: the command names all that is found, and other tests may be at work
        subprocess.run([*check.repair.split()[:1], f"/dev/shm/{name}"], check=True)
    finally:
        if os.path.exists(f"/dev/shm/{name}"):
            os.remove(f"/dev/shm/{name}")
    assert name not in start_here.check_machine()[-1].repair


@pytest.mark.skipif(os.name == "nt", reason="Windows does not give orphans to process 1")
def test_an_orphan_is_found_with_the_command_that_ends_it():
    # a process that looks like a child of multiprocessing, and whose parent has ended
    waits = "from multiprocessing import process; import sys; sys.stdin.read()"
    starts = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {waits!r}], stdin=0).pid)"
    parent = subprocess.Popen([sys.executable, "-c", starts], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    orphan = int(parent.stdout.readline())
    parent.wait(10)
    try:
        check = start_here.check_machine()[-2]
        assert not check.ok and str(orphan) in check.repair
    finally:
        parent.stdin.close()
        parent.stdout.close()

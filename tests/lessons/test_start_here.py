"""The workers and the check of this lesson."""

import math
import os
import re
import subprocess
import sys
import time
from importlib import metadata
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from subprocess import PIPE
from types import SimpleNamespace

import pytest

from helpers.lessons import start_here
from helpers.lessons.start_here import Stint
from helpers.measuring import machine
from helpers.measuring.machine import Allowance
from helpers.show import lanes
from helpers.supervision import left_behind
from helpers.supervision.left_behind import Look, Process
from helpers.supervision.supervisor import expect_failure, supervised

seen_here = pytest.mark.skipif(bool(left_behind._why_unseen()), reason=left_behind._why_unseen())
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
def test_a_child_counts_visits_in_its_own_memory(method):
    report = answer_of(method, start_here.visit)
    assert report["visits"] == 1 and report["process"] != os.getpid()
    assert start_here.visits == 0


@each_method
def test_five_children_share_a_counter(method):
    ctx = get_context(method)
    with supervised(deadline=20):
        counter = ctx.Value("i", 0)
        children = [ctx.Process(target=start_here.add_one, args=(counter,)) for _ in range(5)]
        for child in children:
            child.start()
        for child in children:
            child.join()
        assert 1 <= counter.value <= 5  # an update may be lost


@each_method
def test_a_child_that_stands_by_holds_memory_and_goes_when_told(method):
    with supervised():
        ctx = get_context(method)
        ours, theirs = ctx.Pipe()
        child = ctx.Process(target=start_here.stand_by, args=(theirs,))
        child.start()
        assert ours.recv() == "here I am"
        assert 1 < start_here.megabytes(child.pid) < 1000
        ours.send("thank you")
        child.join()
        assert child.exitcode == 0


@each_method
def test_a_child_divides_and_fails_at_zero(method):
    assert answer_of(method, start_here.divide, 4) == 25
    ctx = get_context(method)
    with expect_failure(deadline=10) as failure:
        child = ctx.Process(target=start_here.divide, args=(ctx.Pipe()[1], 0))
        child.start()
        child.join()
    assert child.exitcode == 1 and "ZeroDivisionError" in str(failure)


@pytest.mark.parametrize(("numbers", "total"), [(0, 0), (4, 14)])
def test_squares_are_added_up(numbers, total):
    assert start_here.add_squares(numbers) == total


@each_method
def test_work_keeps_a_processor_busy(method):
    start = get_context(method).Barrier(1)
    before = time.perf_counter()
    stint = answer_of(method, start_here.work, start, 200_000)
    assert before < stint.begin < stint.end < time.perf_counter()
    assert 0 < stint.busy <= stint.end - stint.begin + 0.02  # where the clock of processor time is coarse


@pytest.mark.parametrize(
    ("threads", "processes", "answer"),
    [(2.0, 1.0, "processes"), (1.3, 1.0, "processes"), (1.2, 1.0, "same"), (1.0, 1.2, "same"), (1.0, 1.3, "threads")],
)
def test_a_pair_is_quicker_only_when_it_is_clearly_so(threads, processes, answer):
    asked = start_here.QUESTIONS["twice"]
    assert asked.judge({"two threads": threads, "two processes": processes}) == answer
    assert answer in asked.answers and answer in asked.because


@pytest.mark.parametrize(("enabled", "said"), [(True, "yes"), (False, "no")])
def test_what_a_program_may_use_is_said(enabled, said, monkeypatch):
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: enabled, raising=False)
    monkeypatch.setattr(machine, "processors", lambda: 1)
    assert start_here.what_may_be_used() == f"1 processor may be used; a GIL: {said}"
    monkeypatch.setattr(machine, "processors", lambda: 1.5)
    assert start_here.what_may_be_used().startswith("1.5 processors may be used")


@pytest.mark.parametrize(
    ("stints", "busy", "seconds"),
    [
        ([Stint(10.0, 12.0, 2.0)], 2, 2),
        ([Stint(10.0, 12.0, 2.0), Stint(10.0, 12.0, 2.0)], 4, 2),
        ([Stint(10.0, 12.0, 1.0), Stint(11.0, 13.0, 1.0)], 2, 3),  # they took turns on one processor
        ([Stint(10.0, 12.0, 2.0), Stint(12.0, 14.0, 2.0)], 4, 4),  # one began when the other had ended
        ([Stint(10.0, 10.25, 2.0)], 0.25, 0.25),  # a coarse clock of processor time
        ([Stint(10.0, 10.25, 2.0)] * 8, 0.5, 0.25),  # a coarse clock, and more children than processors
    ],
)
def test_work_is_counted_from_the_first_begin_to_the_last_end(stints, busy, seconds, monkeypatch):
    monkeypatch.setattr(machine, "places", lambda: 2)
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
    assert list(checks) == ["Python", "packages", "start methods", "processors", "processes", "memory", "shared memory",
                            "temporary folder", "processes left behind", "semaphores left behind"]  # fmt: skip
    assert checks["Python"].ok and checks["packages"].ok and "spawn" in checks["start methods"].found
    assert all(check.repair == "" for check in checks.values() if check.ok)


@pytest.fixture
def two_looks_at_once(monkeypatch):
    monkeypatch.setattr(left_behind, "APART", 0)


def check_of(what):
    return {check.what: check for check in start_here.check_machine()}[what]


@seen_here
def test_a_semaphore_left_behind_is_found_with_the_command_that_removes_it():
    path = Path(f"/dev/shm/sem.mp-test{os.getpid()}")
    subprocess.run([sys.executable, "-c", f"open('{path}', 'w')"], check=True)
    try:
        check = check_of("semaphores left behind")
        assert not check.ok and str(path) in check.repair.split()
        # only ours: the command names all that is found, and other tests may be at work
        subprocess.run([*check.repair.split()[:1], path], check=True)
        assert str(path) not in check_of("semaphores left behind").repair
    finally:
        path.unlink(missing_ok=True)


@seen_here
def test_a_semaphore_that_another_program_uses_is_not_reported():
    code = "from multiprocessing import get_context as g; l = g('spawn').Lock(); print(l._semlock.name); input()"
    with subprocess.Popen([sys.executable, "-u", "-c", code], stdin=PIPE, stdout=PIPE, text=True) as program:
        name = program.stdout.readline().strip()[1:]
        assert name not in check_of("semaphores left behind").repair
        program.communicate("\n")
    assert program.returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows does not give orphans to process 1")
def test_an_orphan_is_found_with_the_command_that_ends_it():
    # a process that looks like a child of multiprocessing, and whose parent has ended
    waits = "from multiprocessing.spawn import sys; sys.stdin.read()"
    starts = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {waits!r}], stdin=0).pid)"
    parent = subprocess.Popen([sys.executable, "-c", starts], stdin=PIPE, stdout=PIPE, text=True)
    orphan = int(parent.stdout.readline())
    parent.wait(10)
    try:
        check = check_of("processes left behind")
        assert not check.ok and str(orphan) in check.repair.split()
    finally:
        parent.stdin.close()
        parent.stdout.close()


def test_the_commands_are_those_of_the_system(monkeypatch):
    orphans = Look(frozenset(Process(pid, 1, 0, (), 0.0) for pid in (8, 7)))
    semaphores = Look(frozenset({Path("/dev/shm/sem.mp-b"), Path("/dev/shm/sem.mp-a")}))
    monkeypatch.setattr(start_here, "os", SimpleNamespace(name="posix"))
    assert start_here._orphans(orphans) == ("2", False, "kill -9 7 8")
    assert start_here._semaphores(semaphores) == ("2", False, "rm /dev/shm/sem.mp-a /dev/shm/sem.mp-b")
    monkeypatch.setattr(start_here, "os", SimpleNamespace(name="nt"))
    assert start_here._orphans(orphans) == ("2", False, "taskkill /F /PID 7 /PID 8")
    assert start_here._semaphores(Look(frozenset(), "unseen"))[1:] == (True, "")


@pytest.mark.parametrize(
    ("system", "python", "command"),
    [
        ("posix", "/opt/py/bin/python", "/opt/py/bin/python -m pip install -e ."),
        ("posix", "/home/ann/my lessons/python", "'/home/ann/my lessons/python' -m pip install -e ."),
        ("nt", "C:\\py\\python.exe", "C:\\py\\python.exe -m pip install -e ."),
        ("nt", "C:\\my lessons\\python.exe", '& "C:\\my lessons\\python.exe" -m pip install -e .'),
    ],
)
def test_a_command_can_be_typed_wherever_python_lies(system, python, command, monkeypatch):
    def not_installed(_: str) -> None:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(start_here, "os", SimpleNamespace(name=system))
    monkeypatch.setattr(start_here.sys, "executable", python)
    monkeypatch.setattr(start_here.metadata, "requires", not_installed)
    assert start_here._packages() == ("this project is not installed", False, command)


def test_what_cannot_be_seen_is_neither_left_behind_nor_called_none():
    unseen = Look(frozenset(), "this system does not show them")
    assert start_here._semaphores(unseen) == ("not looked for: this system does not show them", True, "")


def test_where_processes_have_no_user_ids_those_of_this_user_are_found_by_name(monkeypatch):
    """On Windows psutil has no `uids`, and asking for them is an error."""
    line = {
        "pid": 7,
        "ppid": 5,
        "cmdline": ["py.exe", "--multiprocessing-fork"],
        "create_time": 9.0,
        "username": "PC\\ann",
    }
    parent = {"pid": 5, "ppid": 4, "cmdline": None, "create_time": 10.0, "username": None}

    def process_iter(names):
        assert set(names) == set(line)
        return [SimpleNamespace(info=line), SimpleNamespace(info=parent)]

    me = SimpleNamespace(username=lambda: "PC\\ann")
    windows = SimpleNamespace(Process=lambda: me, process_iter=process_iter)
    monkeypatch.setitem(sys.modules, "psutil", windows)
    assert [each.pid for each in start_here._orphans_now().found] == [7]
    me.username = lambda: "PC\\bob"
    assert start_here._orphans_now() == Look(frozenset())


def test_without_psutil_processes_are_not_looked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert check_of("processes left behind").found.startswith("not looked for: ModuleNotFoundError")


@pytest.mark.skipif(not hasattr(os, "setuid") or os.getuid() != 0, reason="only root can become another user")
def test_a_user_without_a_name_and_without_a_home_is_checked_like_any_other():
    code = """if True:
        import multiprocessing.resource_tracker, os, psutil
        from helpers.lessons import start_here
        start_here._packages()  # loads what the new user may not be allowed to read
        os.environ["HOME"] = "/nowhere"
        os.setuid(54321)
        open("/dev/shm/sem.mp-54321", "w").close()
        try:
            for check in start_here.check_machine():
                print(check.what, check.found, check.repair, sep=": ")
        finally:
            os.remove("/dev/shm/sem.mp-54321")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Error" not in done.stdout and "not looked for" not in done.stdout
    assert done.stdout.splitlines()[-1] == "semaphores left behind: 1: rm /dev/shm/sem.mp-54321"


@pytest.mark.usefixtures("two_looks_at_once")
@pytest.mark.parametrize("part", ["processors", "processes", "memory", "shared_memory", "temporary_room"])
def test_a_check_that_fails_is_one_line_of_the_report(part, monkeypatch):
    def fail():
        raise KeyError("uid not found: 12345")

    monkeypatch.setattr(machine, part, fail)
    [failed] = [check for check in start_here.check_machine() if "KeyError" in check.found]
    assert failed.found == "could not be found out: KeyError: 'uid not found: 12345'" and not failed.ok


@pytest.mark.usefixtures("two_looks_at_once")
@pytest.mark.parametrize("part", ["orphans", "semaphores"])
def test_a_look_that_fails_finds_nothing(part, monkeypatch):
    def fail(*_):
        raise OSError("no such thing")

    monkeypatch.setattr(left_behind, part, fail)
    assert check_of("processes left behind" if part == "orphans" else "semaphores left behind") == start_here.Check(
        f"{'processes' if part == 'orphans' else part} left behind", "not looked for: OSError: no such thing", True
    )


@pytest.mark.usefixtures("two_looks_at_once")
@pytest.mark.parametrize(
    ("processors", "there_are", "found"),
    [
        (2, 2, "2"),
        (2, 64, "2 of 64 may be used"),
        (1, 1, "1: everything works, but processes take turns"),
        (0.5, 8, "0.5 of 8 may be used: everything works, but processes take turns"),
    ],
)
def test_the_processors_that_may_be_used_are_said(processors, there_are, found, monkeypatch):
    monkeypatch.setattr(machine, "processors", lambda: processors)
    monkeypatch.setattr(os, "cpu_count", lambda: there_are)
    assert check_of("processors") == start_here.Check("processors", found, True)


@pytest.mark.usefixtures("two_looks_at_once")
@pytest.mark.parametrize(
    ("part", "what", "room", "found", "ok"),
    [
        ("processes", "processes", Allowance(math.inf, 0), "not limited", True),
        ("processes", "processes", Allowance(4096, 96), "4,000 more of 4,096 may be started", True),
        ("processes", "processes", Allowance(40, 30), "10 more of 40 may be started", False),
        ("memory", "memory", Allowance(1e9, 8e8), "200 MB free of 1.0 GB", False),
        ("shared_memory", "shared memory", Allowance(64e6, 4e6), "60 MB free of 64 MB", True),
        ("shared_memory", "shared memory", Allowance(64e6, 60e6), "4 MB free of 64 MB", False),
        ("shared_memory", "shared memory", None, "not limited", True),
        ("temporary_room", "temporary folder", 5e6, "5 MB free", False),
        (
            "socket_trouble",
            "temporary folder",
            "path too long",
            "a manager cannot open its socket: path too long",
            False,
        ),
    ],
)
def test_what_a_hub_allows_is_said(part, what, room, found, ok, monkeypatch):
    monkeypatch.setattr(machine, part, lambda: room)
    check = check_of(what)
    assert (check.found, check.ok) == (found, ok)

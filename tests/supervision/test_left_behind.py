"""What is said to be left behind is nobody's; what a living process uses is never named."""

import os
import subprocess
import sys
from contextlib import contextmanager
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from subprocess import PIPE

import pytest

from helpers.supervision import left_behind
from helpers.supervision.left_behind import Look, Process

ME, OTHER = 1000, 1001
SPAWNED = (
    "/usr/bin/python3",
    "-c",
    "from multiprocessing.spawn import spawn_main; spawn_main()",
    "--multiprocessing-fork",
)
FORKED = ("/usr/bin/python3", "-c", "from multiprocessing.forkserver import main; main()")
TRACKER = ("/usr/bin/python3", "-c", "from multiprocessing.resource_tracker import main;main(5)")

seen_here = pytest.mark.skipif(bool(left_behind._why_unseen()), reason=left_behind._why_unseen())


def process(pid, parent, command=SPAWNED, user=ME, begin=100.0):
    return Process(pid, parent, user, command, begin)


INIT = process(1, 0, ("/sbin/init", "splash"), 0, 1.0)


def orphans_among(*processes):
    return {each.pid for each in left_behind.orphans(processes, ME).found}


@pytest.mark.parametrize("command", [SPAWNED, FORKED])
@pytest.mark.parametrize("init", ["/sbin/init", "/usr/lib/systemd/systemd", "/usr/bin/tini", "/pause"])
def test_a_worker_that_the_first_process_was_given_is_an_orphan(command, init):
    assert orphans_among(process(1, 0, (init,), 0, 1.0), process(7, 1, command)) == {7}


def test_a_worker_that_the_user_s_own_init_was_given_is_an_orphan():
    assert orphans_among(INIT, process(5, 1, ("/lib/systemd/systemd", "--user")), process(7, 5)) == {7}


def test_a_first_process_that_may_not_be_seen_is_no_parent_of_ours():
    assert orphans_among(process(7, 1)) == {7}


@pytest.mark.parametrize(
    "jupyter",
    [("/opt/conda/bin/python3.12", "/opt/conda/bin/jupyter-lab"), ("jupyterhub-singleuser",), ("python",), ("pypy3",)],
)
def test_jupyter_as_the_first_process_of_a_container_is_a_living_parent(jupyter):
    assert orphans_among(process(1, 0, jupyter, ME, 1.0), process(7, 1)) == set()


@pytest.mark.parametrize(
    "beside",
    [
        process(7, 5),  # its parent lives
        process(7, 1, user=OTHER),
        process(7, 1, user=None),  # whose it is may not be known
        process(7, 1, TRACKER),  # ends by itself
        process(7, 1, ("/usr/bin/python3", "train.py")),
        process(7, 1, ()),
        process(7, 0),  # its parent is outside of this container
    ],
)
def test_what_is_no_orphan_of_ours_is_not_named(beside):
    assert orphans_among(INIT, process(5, 1, ("python3", "my.py"), begin=50.0), beside) == set()


def test_a_parent_that_began_after_its_child_is_another_process_of_that_number():
    assert orphans_among(process(5, 1, ("python3",), begin=200.0), process(7, 5, begin=100.0)) == {7}


def test_what_only_one_look_found_is_not_left_behind():
    assert (Look(frozenset({1, 2})) & Look(frozenset({2, 3}))).found == {2}
    assert (Look(frozenset(), "dark") & Look(frozenset())).unseen == "dark"


def test_mapped_files_are_told_by_device_and_inode():
    maps = """\
55c1bd287000-55c1bd289000 r--p 00000000 fe:00 260386                     /usr/bin/head
7f0e8c000000-7f0e8c001000 rw-s 00000000 00:19 77                         /dev/shm/sem.uNlnuz (deleted)
7f0e8c021000-7f0e90000000 ---p 00000000 00:00 0
7ffd1c9d2000-7ffd1c9f3000 rw-p 00000000 00:00 0                          [stack]
7f0e8d000000-7f0e8d001000 r--p 00000000 103:02 9                         /home/ann/a\x0cb\udcff
"""
    assert left_behind.mapped_files(maps) == {
        (os.makedev(0xFE, 0), 260386),
        (os.makedev(0, 0x19), 77),
        (0, 0),
        (os.makedev(0x103, 2), 9),
    }


@pytest.mark.parametrize(
    ("status", "may"),
    [
        ("Name:\tpython3\nUid:\t1000\t1000\t1000\t1000\n", True),
        ("Name:\tjupyter-lab\nUid:\t1000\t1000\t1000\t1000\n", True),
        ("Name:\tpython3\nUid:\t10001\t10001\t10001\t10001\n", False),
        ("Name:\tssh-agent\nUid:\t1000\t1000\t1000\t1000\n", False),
        ("", False),
    ],
)
def test_only_a_python_of_the_same_user_may_use_a_semaphore(status, may):
    assert left_behind.may_use_those_of(ME, status) is may


@contextmanager
def another_python(code):
    """Run code in another Python, and yield the first line that it prints; it ends when its input does."""
    with subprocess.Popen([sys.executable, "-c", code], stdin=PIPE, stdout=PIPE, text=True) as python:
        yield python.stdout.readline().strip()
        python.stdin.close()


@seen_here
@pytest.mark.parametrize("method", get_all_start_methods())
def test_a_semaphore_that_another_process_uses_is_not_left_behind(method):
    code = f"""if True:
        import sys
        from multiprocessing import get_context
        lock = get_context({method!r}).Lock()
        print(lock._semlock.name, flush=True)
        sys.stdin.read()
    """
    with another_python(code) as name:
        assert Path(f"/dev/shm/sem.{name[1:]}").exists() is (method != "fork")
        assert Path(f"/dev/shm/sem.{name[1:]}") not in left_behind.semaphores().found


@seen_here
def test_a_semaphore_of_this_process_is_not_left_behind():
    lock = get_context("spawn").Lock()
    assert Path(f"/dev/shm/sem.{lock._semlock.name[1:]}") not in left_behind.semaphores().found


@seen_here
def test_a_semaphore_whose_processes_were_killed_is_left_behind():
    code = """if True:
        import os, signal, sys
        from multiprocessing import get_context, resource_tracker
        lock = get_context("spawn").Lock()
        print(lock._semlock.name, flush=True)
        sys.stdin.read(1)
        os.kill(resource_tracker._resource_tracker._pid, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    with another_python(code) as name:
        path = Path(f"/dev/shm/sem.{name[1:]}")
        assert path not in left_behind.semaphores().found
    try:
        assert path in left_behind.semaphores().found
    finally:
        path.unlink()
    assert path not in left_behind.semaphores().found


@seen_here
def test_a_semaphore_that_vanishes_between_two_glances_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "sem.mp-gone").symlink_to(tmp_path / "nowhere")
    monkeypatch.setattr(left_behind, "SHARED_MEMORY", tmp_path)
    assert left_behind.semaphores() == Look(frozenset())


@seen_here
def test_semaphores_of_other_users_and_programs_are_not_named(tmp_path, monkeypatch):
    monkeypatch.setattr(left_behind, "SHARED_MEMORY", tmp_path)
    for name in ("sem.mp-ours", "sem.other", "psm_1"):
        (tmp_path / name).touch()
    assert left_behind.semaphores().found == {tmp_path / "sem.mp-ours"}
    monkeypatch.setattr(os, "getuid", lambda: 987654)
    assert left_behind.semaphores().found == frozenset()


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda folder: None, "this system does not show them"),
        (
            lambda folder: (folder / "proc").mkdir(),
            "this system does not show who uses them: No such file or directory",
        ),
    ],
)
def test_where_semaphores_cannot_be_seen_that_is_said(build, reason, tmp_path, monkeypatch):
    build(tmp_path)
    monkeypatch.setattr(left_behind, "PROC", tmp_path / "proc")
    monkeypatch.setattr(left_behind, "SHARED_MEMORY", tmp_path)
    assert left_behind.semaphores() == Look(frozenset(), reason)


@seen_here
def test_in_a_container_those_outside_may_use_what_nobody_inside_does(monkeypatch):
    monkeypatch.setattr(left_behind, "FIRST_NAMESPACE", 1)
    assert left_behind.semaphores() == Look(frozenset(), "programs outside of this container may use them")


@seen_here
def test_a_system_that_does_not_show_a_file_in_use_is_not_believed(monkeypatch):
    monkeypatch.setattr(left_behind, "mapped_files", lambda maps: set())
    assert left_behind.semaphores() == Look(frozenset(), "this system does not show who uses them")


@pytest.mark.skipif(not hasattr(os, "setuid") or os.getuid() != 0, reason="only root can become another user")
def test_a_python_of_the_user_that_may_not_be_looked_into_keeps_all_from_being_named():
    # who changes its user becomes a process that its new user may not look into (prctl(2), PR_SET_DUMPABLE)
    closed = """if True:
        import os, sys
        os.setuid(54321)
        print("closed", flush=True)
        sys.stdin.read()
    """
    look = """if True:
        import os
        from helpers.supervision import left_behind
        os.setuid(54321)
        print(left_behind.semaphores().unseen)
    """
    with another_python(closed) as word:
        assert word == "closed"
        done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "a program that does not let us look may use them\n"

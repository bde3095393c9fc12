"""The folder that the blocks of one process share: short enough for sockets, and never left behind."""

import os
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_all_start_methods
from pathlib import Path

import pytest

from helpers.supervision import runtime_folder

posix_only = pytest.mark.skipif(os.name == "nt", reason="the test kills by a POSIX signal")


def run(code, tmp, **more):
    """Run code in a process whose temporary files go to a folder of its own; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp)}, capture_output=True, text=True, **more
    )
    return done.stdout.strip(), done.stderr


MANAGE = (
    "from multiprocessing import get_context\n"
    "from helpers.supervision.supervisor import supervised\n"
    "with supervised(20):\n"
    "    manager = get_context({method!r}).Manager()\n"
    "    print(manager.list([1, 2, 3]))\n"
)


@pytest.mark.parametrize("method", get_all_start_methods())
def test_nothing_is_left_in_the_temporary_folder_at_an_orderly_end(method, short_folder):
    printed, errors = run(MANAGE.format(method=method), short_folder, timeout=60)
    assert (printed, errors) == ("[1, 2, 3]", "")
    assert list(short_folder.iterdir()) == []


@posix_only
def test_what_a_killed_process_leaves_is_put_away_by_the_next_one(short_folder):
    killed = "import os, signal\nfrom helpers.supervision.supervisor import supervised\nwith supervised(20):\n"
    run(killed + "    os.kill(os.getpid(), signal.SIGKILL)", short_folder, timeout=60)
    (left,) = short_folder.iterdir()
    assert left.name.startswith(runtime_folder.PREFIX)
    printed, _ = run(MANAGE.format(method="spawn"), short_folder, timeout=60)
    assert printed == "[1, 2, 3]"
    assert list(short_folder.iterdir()) == []


def test_the_folder_of_a_living_process_stays(short_folder):
    code = "from helpers.supervision.runtime_folder import runtime_folder; print(runtime_folder(), flush=True); input()"
    environment = {**os.environ, "TMPDIR": str(short_folder)}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        folder = Path(other.stdout.readline().strip())
        run(MANAGE.format(method="spawn"), short_folder, timeout=60)
        assert folder.is_dir()
        other.communicate("\n", timeout=20)
    assert not folder.exists()


def test_a_folder_whose_maker_may_still_be_at_it_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    young, old = tmp_path / f"{runtime_folder.PREFIX}young", tmp_path / f"{runtime_folder.PREFIX}old"
    young.mkdir(), old.mkdir()
    os.utime(old, (0, 0))
    runtime_folder._put_away_folders_of_the_dead()
    assert young.exists() and not old.exists()


@posix_only
def test_a_temporary_folder_with_a_path_too_long_for_sockets_is_not_used(tmp_path):
    long = tmp_path / ("x" * 120)
    long.mkdir()
    printed, errors = run(MANAGE.format(method="spawn"), long, timeout=60)
    assert (printed, errors) == ("[1, 2, 3]", "")
    assert list(long.iterdir()) == []


@posix_only
def test_where_no_folder_can_be_made_the_error_says_what_to_set(monkeypatch, tmp_path):
    monkeypatch.setattr(runtime_folder, "_bases", lambda: iter([tmp_path / ("x" * 120)]))
    with pytest.raises(OSError, match=r"no temporary folder for sockets: tried .*x{120}. Next: set TMPDIR .* at most"):
        runtime_folder._new_folder()


@pytest.mark.skipif("forkserver" not in get_all_start_methods(), reason="there is no forkserver here")
def test_what_multiprocessing_keeps_for_itself_is_in_no_group_that_a_kernel_is_ended_with(short_folder):
    """ipykernel, asked to end, waits seconds for what is in its group, and Jupyter then kills it."""
    code = (
        "import os\n"
        "from multiprocessing import forkserver, get_context, resource_tracker\n"
        "from helpers.supervision.supervisor import supervised\n"
        "with supervised(20):\n"
        "    get_context('forkserver').Process(target=abs, args=(1,)).start()\n"
        "pids = [forkserver._forkserver._forkserver_pid, resource_tracker._resource_tracker._pid]\n"
        "print(*(os.getsid(pid) == pid for pid in pids))\n"
    )
    assert run(code, short_folder, timeout=60) == ("True True", "")


@pytest.mark.skipif("forkserver" not in get_all_start_methods(), reason="there is no forkserver here")
def test_a_forkserver_that_was_started_is_multiprocessing_s_to_reap_and_remembered_by_nobody_else(short_folder):
    code = (
        "import gc, subprocess\n"
        "from multiprocessing import forkserver, get_context\n"
        "from helpers.supervision.supervisor import supervised\n"
        "for _ in range(3):\n"
        "    with supervised(20):\n"
        "        get_context('forkserver').Process(target=abs, args=(1,)).start()\n"
        "    forkserver._forkserver._stop()\n"
        "print(subprocess._active, [each for each in gc.get_objects() if type(each) is subprocess.Popen])\n"
    )
    assert run(code, short_folder, timeout=60) == ("[] []", "")


@posix_only
def test_semaphores_are_put_away_when_the_whole_process_group_is_killed(short_folder):
    code = (
        "import os, signal\n"
        "from multiprocessing import get_context\n"
        "from helpers.supervision.supervisor import supervised\n"
        "with supervised(20):\n"
        "    lock = get_context('spawn').Lock()\n"
        "    print(lock._semlock.name, flush=True)\n"
        "    os.killpg(0, signal.SIGKILL)\n"
    )
    name, _ = run(code, short_folder, timeout=60, start_new_session=True)
    semaphore = Path("/dev/shm/sem." + name.removeprefix("/"))
    until = time.monotonic() + 10
    while semaphore.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not semaphore.exists()

"""What the machine allows is read right under control groups of both versions, and where there are none."""

import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from helpers.measuring import machine
from helpers.measuring.machine import Allowance

V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1_MOUNTS = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 /docker/ab12 /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 /docker/ab12 /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime shared:9 - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
V1_GROUPS = """\
8:pids:/jupyter/ann
5:memory:/docker/ab12
4:cpu,cpuacct:/docker/ab12
1:name=systemd:/docker/ab12
0::/
"""


@pytest.mark.parametrize(
    ("cgroup", "mountinfo", "controller", "folders"),
    [
        ("0::/\n", V2_MOUNT, "cpu", ["/sys/fs/cgroup"]),
        ("0::/a/b\n", V2_MOUNT, "cpu", ["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"]),
        # a group beside the mounted one, as a container with a namespace of its own may see it
        ("0::/../other\n", V2_MOUNT, "cpu", ["/sys/fs/cgroup"]),
        (V1_GROUPS, V1_MOUNTS, "cpu", ["/sys/fs/cgroup/cpu,cpuacct"]),
        (V1_GROUPS, V1_MOUNTS, "memory", ["/sys/fs/cgroup/memory"]),
        (
            V1_GROUPS,
            V1_MOUNTS,
            "pids",
            ["/sys/fs/cgroup/pids/jupyter/ann", "/sys/fs/cgroup/pids/jupyter", "/sys/fs/cgroup/pids"],
        ),
        ("0::/\n", r"30 23 0:26 / /my\040groups rw - cgroup2 cgroup2 rw", "cpu", ["/my groups"]),
        ("0::/\n", "22 27 0:21 / /proc rw - proc proc rw\n", "cpu", []),
        ("", V2_MOUNT, "cpu", []),
        ("", "", "cpu", []),
    ],
)
def test_the_control_groups_of_a_process_are_found(cgroup, mountinfo, controller, folders):
    assert machine.group_folders(cgroup, mountinfo, controller) == [Path(folder) for folder in folders]


@pytest.mark.parametrize(
    ("text", "processors"),
    [
        ("150000 100000\n", 1.5),
        ("max 100000\n", math.inf),
        ("-1\n 100000\n", math.inf),
        (" ", math.inf),
        ("", math.inf),
    ],
)
def test_a_quota_is_a_number_of_processors(text, processors):
    assert machine.quota(text) == processors


@pytest.mark.parametrize(
    ("text", "number"), [("512\n", 512), ("max\n", math.inf), ("9223372036854771712\n", math.inf), ("", math.inf)]
)
def test_a_limit_is_a_number_or_none(text, number):
    assert machine.limit(text) == number


@pytest.mark.parametrize(
    ("stat", "count"),
    [
        ("anon 10\nfile 30\ninactive_file 20\n", 20),
        ("inactive_file 5\ntotal_inactive_file 20\n", 20),
        ("anon 10\n", 0),
        ("", 0),
    ],
)
def test_memory_that_only_caches_files_is_told_apart(stat, count):
    assert machine.cached(stat) == count


def test_user_and_threads_are_read_from_a_status():
    status = "Name:\tpython3\nUmask:\t0022\nPid:\t7\nUid:\t1000\t1001\t1000\t1000\nThreads:\t13\nSigQ:\t0/1\n"
    assert machine.user_and_threads(status) == (1000, 13)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Return a function that gives this process the files of control groups: of its own, and of the one around it."""

    def build(inner, outer=None):
        group = tmp_path / "groups" / "ann"
        group.mkdir(parents=True)
        for folder, files in ((group, inner), (group.parent, outer or {})):
            for name, text in files.items():
                (folder / name).write_text(text)
        proc = tmp_path / "proc" / "self"
        proc.mkdir(parents=True)
        (proc / "cgroup").write_text("0::/ann\n")
        mount = str(group.parent).replace(" ", r"\040")
        (proc / "mountinfo").write_text(f"30 23 0:26 / {mount} rw - cgroup2 cgroup2 rw\n")
        monkeypatch.setattr(machine, "PROC", tmp_path / "proc")

    return build


def test_half_a_processor_is_half_a_processor(hub):
    hub({"cpu.max": "50000 100000\n"})
    assert machine.processors() == 0.5


def test_a_quota_in_the_files_of_version_1_counts_as_well(hub):
    hub({"cpu.cfs_quota_us": "25000\n", "cpu.cfs_period_us": "100000\n"})
    assert machine.processors() == 0.25


def test_without_a_quota_there_are_no_more_processors_than_there_are(hub):
    hub({"cpu.max": "max 100000\n"})
    assert 1 <= machine.processors() <= os.cpu_count()


def test_the_limit_of_the_group_around_it_holds_too(hub):
    hub({"pids.max": "max\n", "pids.current": "5\n"}, {"pids.max": "20\n", "pids.current": "18\n"})
    assert machine.processes() == Allowance(20, 18) and machine.processes().left == 2


@pytest.mark.parametrize(
    "files", [("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")]
)
def test_memory_is_limited_by_the_group_and_caches_do_not_count(hub, files):
    allowed, used = files
    hub({allowed: "1000\n", used: "700\n", "memory.stat": "inactive_file 300\n"})
    assert machine.memory() == Allowance(1000, 400)


def test_without_control_groups_there_are_no_limits_of_theirs(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "PROC", tmp_path)
    assert machine.memory().left == math.inf
    assert machine.processors() >= 1


def test_more_in_use_than_allowed_leaves_nothing():
    assert Allowance(10, 12).left == 0


@pytest.mark.skipif(not hasattr(os, "setuid") or os.getuid() != 0, reason="only root can become another user")
def test_the_limit_of_a_user_counts_all_threads_of_that_user():
    code = """if True:
        import os, resource, threading
        from helpers.measuring import machine
        resource.setrlimit(resource.RLIMIT_NPROC, (50, 50))
        os.setuid(54321)
        done = threading.Event()
        for _ in range(3):
            threading.Thread(target=done.wait).start()
        print(machine.processes())
        done.set()
    """
    assert printed(code) == "Allowance(allowed=50, used=4)"


def printed(code, **environment):
    """Return what another Python prints, without the end of its line."""
    environment = os.environ | environment
    return subprocess.check_output([sys.executable, "-c", code], text=True, timeout=60, env=environment).rstrip()


@pytest.mark.skipif(os.name == "nt", reason="Windows has pipes with names in place of sockets")
def test_a_manager_can_open_its_socket_however_long_the_temporary_folder_is():
    code = "from helpers.measuring import machine; print(repr(machine.socket_trouble()))"
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        long = Path(short, "x" * 90)
        long.mkdir()
        assert printed(code, TMPDIR=str(long)) == "''"
        assert list(long.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has pipes with names in place of sockets")
@pytest.mark.parametrize(
    ("folder", "trouble"),
    [("x" * 110, "AF_UNIX path too long"), ("nothing", "No such file or directory")],
)
def test_why_a_manager_cannot_open_its_socket_is_said(folder, trouble, monkeypatch, short_folder):
    monkeypatch.setattr(machine, "runtime_folder", lambda: short_folder / folder)
    assert trouble in machine.socket_trouble()


def test_there_is_room_for_temporary_files():
    assert machine.temporary_room() > 0


def test_shared_memory_has_a_size_where_there_is_any(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "SHARED_MEMORY", tmp_path)
    room = machine.shared_memory()
    assert 0 < room.left <= room.allowed < math.inf
    monkeypatch.setattr(machine, "SHARED_MEMORY", tmp_path / "nothing")
    assert machine.shared_memory() is None

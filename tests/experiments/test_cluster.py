"""Experiments on a real Dask cluster: every machine once, the part of a killed worker again, clear words otherwise."""

import sys
import threading
import time

import psutil
import pytest

from helpers.experiments import ClusterFailed, cluster, plan, read_sets, run_on_cluster
from helpers.experiments.__main__ import main
from helpers.lessons import beyond_one_machine as beyond
from helpers.lessons.queues import until
from tests.missing import skip_without

try:
    import distributed
except ModuleNotFoundError:
    skip_without("Dask", "python -m pip install -e .[dask]")

ONE = {"runs": "1"}
PIPE = {"mechanisms": "Pipe"}
NOBODY = "tcp://127.0.0.1:9"  # no scheduler listens at the port that throws all away


@pytest.fixture(scope="module")
def running():
    with beyond.Cluster(workers=2) as cluster, distributed.Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=30)
        yield cluster, client


def programs_of(name):
    """Return the programs of an experiment that run on this machine now."""
    return [
        each for each in psutil.process_iter(["cmdline"]) if {name, "--while-stdin"} <= set(each.info["cmdline"] or ())
    ]


@pytest.mark.thorough
def test_a_killed_worker_is_told_and_its_part_is_done_again_by_another(running, tmp_path):
    cluster_there, client = running
    told = []
    parts = run_on_cluster(cluster_there.address, plan(["crash", "free_runs"], ONE | PIPE), tmp_path, told.append)
    done = []
    reader = threading.Thread(target=lambda: done.extend(parts))
    reader.start()
    name = beyond.busy_worker(client)
    until(lambda: programs_of("crash"), 20)
    (before,) = programs_of("crash")
    cluster_there.kill(name)
    before.wait(20)  # it heard that nobody waits for its result
    reader.join(60)
    assert [(part.machine, part.experiment, part.why) for part in done] == [
        ("machine-1", "crash", ""), ("machine-1", "free_runs", "")
    ]  # fmt: skip
    assert told == ["machine-1: a worker was lost, 1 other left there; what it was doing is done again by another"]
    assert {name: set(results) for name, results in read_sets([tmp_path]).items()} == {
        "machine-1": {"crash", "free_runs"}
    }


def test_what_fails_on_a_machine_is_missing_and_the_rest_goes_on(running, tmp_path, monkeypatch, capsys):
    cluster_there, _ = running
    monkeypatch.setattr(cluster, "AT_LEAST", 0.01)  # s: the first program has no time to begin
    monkeypatch.setattr(cluster, "AT_MOST", 0)
    assert main(["run", "crash", "--dask", cluster_there.address, "--out", str(tmp_path)]) == 1
    assert (
        "machine-1, crash: missing, ChildProcessError: crash failed: it had not ended after 0.01 s"
        in capsys.readouterr().out
    )


@pytest.mark.thorough
def test_a_machine_that_loses_its_last_worker_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "BACK_WITHIN", 0.1)
    told = []
    with beyond.Cluster(workers=1) as alone, distributed.Client(alone.address, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=30)
        parts = run_on_cluster(alone.address, plan(["crash", "free_runs"], ONE), tmp_path, told.append)
        killer = threading.Thread(target=lambda: alone.kill(beyond.busy_worker(client)))
        killer.start()
        done = list(parts)
        killer.join()
    assert [(part.experiment, part.path, part.why) for part in done] == [
        ("crash", None, cluster.NO_WORKER), ("free_runs", None, cluster.NO_WORKER)
    ]  # fmt: skip
    assert told == ["machine-1: a worker was lost, 0 others left there; one must come in 0.1 s"]


def test_results_that_are_there_are_not_mixed_with_others(running, tmp_path):
    (tmp_path / "machine-1").mkdir()
    (tmp_path / "machine-1" / "crash.jsonl").touch()
    with pytest.raises(ClusterFailed, match=r"There are results in .* already\. Name another folder with --out"):
        run_on_cluster(running[0].address, plan(["crash"], ONE), tmp_path)


@pytest.mark.parametrize("address", [NOBODY, "nonsense://", "scheduler without a port"])
def test_a_bad_address_is_told_within_seconds(address, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "CONNECT_WITHIN", 1.0)
    begin = time.monotonic()
    assert main(["run", "crash", "--dask", address, "--out", str(tmp_path)]) == 2
    assert time.monotonic() - begin < 4
    assert capsys.readouterr().err.startswith(f"No Dask scheduler answers at {address} (")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"address": 1}, "address must be"),
        ({"planned": []}, "planned must be"),
        ({"folder": None}, "folder must be"),
        ({"tell": 1}, "tell must be"),
        ({"again": 1}, "again must be"),
        ({"with_names": "x"}, "with_names must be"),
    ],
)
def test_nonsense_is_refused_before_anything_is_asked(changed, said, tmp_path):
    valid = {"address": NOBODY, "planned": plan(["crash"]), "folder": tmp_path}
    with pytest.raises((TypeError, ValueError), match=said):
        run_on_cluster(**valid | changed)


def test_without_dask_one_sentence_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    assert main(["run", "crash", "--dask", NOBODY, "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"{cluster.NEEDS_DASK}\n"


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="only there loopback has several addresses of itself")
def test_each_machine_has_a_folder_of_its_own(running, tmp_path):
    cluster_there, client = running
    cluster_there.start_worker("elsewhere", "127.0.0.2")
    until(lambda: {"127.0.0.1", "127.0.0.2"} <= set(cluster._workers(client).values()), 20)
    parts = list(run_on_cluster(cluster_there.address, plan(["free_runs"], ONE), tmp_path, with_names=True))
    assert sorted((part.machine, part.path.parent.name) for part in parts) == [
        (ip, ip) for ip in ("127.0.0.1", "127.0.0.2")
    ]

"""Beyond one machine: what the lesson says of the edge, of what a task costs, and of a cluster that leaves nothing."""

import pickle
from importlib.util import find_spec
from multiprocessing import get_all_start_methods, get_context

import pytest

from helpers.lessons import beyond_one_machine as beyond
from helpers.show import bars
from helpers.supervision import supervised

spawn = get_context("spawn")
COST = {"a local queue": 1e-4, "a task under Dask": 1e-2}


@pytest.mark.parametrize("ctx", [get_context(name) for name in get_all_start_methods()])
def test_whatever_comes_is_sent_back(ctx):
    with supervised(10):
        there, back = ctx.Queue(), ctx.Queue()
        ctx.Process(target=beyond.echo, args=(there, back)).start()
        for item in [1, "two", None]:
            there.put(item)
        assert [back.get(), back.get()] == [1, "two"]


@pytest.mark.parametrize("make", [spawn.Lock, spawn.Semaphore, spawn.Queue], ids=lambda make: make.__name__)
def test_what_the_kernel_keeps_is_not_packed(make):
    assert "only be shared between processes through inheritance" in beyond.packed_for(make)


def test_an_end_of_a_pipe_is_packed_and_is_of_no_use_elsewhere():
    reader, writer = spawn.Pipe()
    assert beyond.packed_for(lambda: writer) == "packed"
    assert beyond.opened_elsewhere(pickle.dumps(writer)).startswith("OSError")
    reader.close()
    writer.close()


def test_plain_data_arrives_elsewhere():
    assert beyond.opened_elsewhere(pickle.dumps({"plain": "data"})) == "nothing"


def test_nonsense_is_refused():
    with pytest.raises(TypeError, match="packed must be bytes"):
        beyond.opened_elsewhere("text")
    with pytest.raises(ValueError, match="workers must be from 1 to 8"):
        beyond.Cluster(0)


def test_without_dask_the_lesson_says_in_one_sentence_what_to_install(monkeypatch):
    monkeypatch.setattr(beyond, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"^This lesson needs Dask\. Type python -m pip install -e"):
        beyond.need_dask()


@pytest.mark.parametrize(("task", "said"), [(1e-2, "So much longer"), (1e-4, "costs no more than a queue")])
def test_the_sentence_on_costs_is_chosen_by_what_was_measured(task, said):
    assert said in beyond.dearer({"a local queue": 1e-4, "a task under Dask": task})


@pytest.mark.parametrize(
    ("jobs", "work_ms", "said"), [(100, 1_000, "4 machines are worth it"), (1_000, 0, "One machine is enough")]
)
def test_the_panel_says_when_one_machine_is_enough(jobs, work_ms, said):
    data, words = beyond.compare_places(COST)(jobs, work_ms, machines=4)
    assert said in words
    assert "times as long" in bars(**data).title


@pytest.mark.parametrize(("measured", "answer"), [("nothing", "end"), ("OSError: closed", "error")])
def test_the_question_on_the_handle_is_settled_by_what_was_measured(measured, answer):
    assert beyond.QUESTIONS["handle"].judge(measured) == answer


@pytest.mark.parametrize(("names", "answer"), [(("one", "two"), "again"), (("one", "one"), "error")])
def test_the_question_on_the_kill_is_settled_by_what_was_measured(names, answer):
    assert beyond.QUESTIONS["killed"].judge(names) == answer


@pytest.mark.thorough
@pytest.mark.skipif(find_spec("distributed") is None, reason="no Dask here: python -m pip install -e .[dask]")
def test_a_cluster_ends_with_its_block_and_leaves_nothing():
    with pytest.raises(ZeroDivisionError), beyond.Cluster(workers=1) as cluster:
        folder = cluster._file.parent
        assert cluster.address.startswith("tcp://127.0.0.1:") and folder.exists()
        raise ZeroDivisionError
    assert [program.poll() is None for program in cluster.programs.values()] == [False, False]
    assert not folder.exists()

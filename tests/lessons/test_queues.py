"""The workers and experiments of this lesson do what the lesson says of them, under every start method."""

import time
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from queue import Empty

import pytest

from helpers.lessons import queues
from helpers.recording.recorder import record
from helpers.recording.trace import Trace
from helpers.show import depth
from helpers.supervision.supervisor import expect_failure, supervised

spawn = get_context("spawn")
each_method = pytest.mark.parametrize("ctx", [get_context(name) for name in get_all_start_methods()])
BAD_NUMBERS = [0, -1, 1.5, "two", None, 10**6]


def start(ctx, worker, *arguments, **options):
    child = ctx.Process(target=worker, args=arguments, **options)
    child.start()
    return child


@each_method
def test_a_letter_arrives(ctx):
    with supervised(10):
        letters = ctx.Queue()
        start(ctx, queues.post, letters, "hello")
        assert letters.get() == "hello"


@each_method
def test_every_job_is_done_once_and_each_consumer_ends_by_a_pill(ctx):
    with supervised(10) as family:
        jobs, done = ctx.Queue(), ctx.Queue()
        for _ in range(2):
            start(ctx, queues.consume, jobs, done, 0.0)
        for name in ("Ann", "Bob"):
            start(ctx, queues.produce, jobs, name, 5)
        finished = sorted(job for _, job in (done.get() for _ in range(10)))
        jobs.put(queues.PILL)
        jobs.put(queues.PILL)
    assert finished == [(name, number) for name in ("Ann", "Bob") for number in range(5)]
    assert [report.exitcode for report in family.reports] == [0] * 4


def test_one_pill_ends_one_consumer():
    with supervised(10):
        jobs, done = spawn.Queue(), spawn.Queue()
        children = [start(spawn, queues.consume, jobs, done, 0.0) for _ in range(2)]
        jobs.put(queues.PILL)
        assert len(wait([child.sentinel for child in children])) == 1
        queues.until(lambda: queues.someone_is_inside_get(jobs))
        jobs.put(queues.PILL)


@each_method
def test_join_waits_until_all_jobs_are_ticked_off(ctx):
    with supervised(10):
        jobs = ctx.JoinableQueue()
        start(ctx, queues.tick_off, jobs, 0.001, daemon=True)
        for job in range(5):
            jobs.put(job)
        jobs.join()
        assert jobs.empty()


@each_method
def test_the_order_of_each_producer_is_kept(ctx):
    with supervised(10):
        jobs = ctx.Queue()
        for name in ("Ann", "Bob"):
            start(ctx, queues.produce, jobs, name, 100)
        received = [jobs.get() for _ in range(200)]
    assert queues.out_of_order(received) == 0


def test_late_items_are_counted_for_each_producer():
    assert queues.out_of_order([("A", 0), ("B", 5), ("A", 2), ("A", 1), ("B", 4), ("A", 3)]) == 2


@each_method
def test_a_worker_that_is_killed_inside_get_poisons_the_queue(ctx):
    with expect_failure(10) as failure:
        jobs = ctx.Queue()
        child = start(ctx, queues.take_one, jobs)
        queues.until(lambda: queues.someone_is_inside_get(jobs))
        child.kill()
        child.join()
        jobs.put("a job")
        queues.until(lambda: not jobs.empty())
        with pytest.raises(Empty):
            jobs.get(timeout=0.1)
    assert [report.exitcode < 0 for report in failure.error.reports] == [True]


def test_nobody_is_inside_get_of_an_unused_queue():
    jobs = spawn.Queue()
    assert not queues.someone_is_inside_get(jobs)
    with pytest.raises(TimeoutError, match=r"within 0\.01 s"):
        queues.until(lambda: queues.someone_is_inside_get(jobs), seconds=0.01)


def test_two_that_look_before_they_get_both_see_the_one_job():
    with supervised(10):
        jobs, done, looked = spawn.Queue(), spawn.Queue(), spawn.Barrier(2)
        jobs.put("the job")
        queues.until(lambda: not jobs.empty())
        for _ in range(2):
            start(spawn, queues.look_then_get, jobs, looked, done)
        assert done.get() == "the job"
        queues.until(lambda: queues.someone_is_inside_get(jobs))
        assert jobs.empty()
        jobs.put("another job, so that the second one can end")


@each_method
def test_two_that_just_get_both_end(ctx):
    with supervised(10):
        jobs, done, go = ctx.Queue(), ctx.Queue(), ctx.Barrier(2)
        jobs.put("the job")
        for _ in range(2):
            start(ctx, queues.just_get, jobs, go, done)
        assert sorted([done.get(), done.get()]) == ["no job for me", "the job"]


@pytest.mark.parametrize("kind", queues.KINDS)
def test_streams_are_timed(kind):
    assert 0 < queues.stream_time("spawn", kind, 2, 10) < 10


def test_jobs_take_as_long_as_the_longest_share():
    work = [0.2, 0.0, 0.2, 0.0]
    assert queues.deal_out("spawn", work, 2, shared=True) > 0.2
    assert queues.deal_out("spawn", work, 2, shared=False) > 0.4


def test_a_slow_consumer_holds_producers_back():
    data, verdict = queues.workshop(1, 1, maxsize=2, making_ms=0, work_ms=10)
    assert "of 2 allowed" in depth(**data).title
    assert verdict.endswith("The producers were held back more; try more consumers.")


def test_consumers_wait_for_a_slow_producer():
    _, verdict = queues.workshop(1, 2, maxsize=0, making_ms=10, work_ms=0)
    assert verdict.endswith("The consumers had too little to do; try more producers.")


@pytest.mark.skipif("fork" not in get_all_start_methods(), reason="the children must inherit what is late")
def test_consumers_that_are_late_to_start_change_no_verdict(monkeypatch):
    def run_late(self):
        time.sleep(0.5 * (queues.consume in (self._target, *self._args)))
        run(self)

    run = BaseProcess.run
    monkeypatch.setattr(BaseProcess, "run", run_late)
    _, verdict = queues.workshop(1, 2, maxsize=0, making_ms=10, work_ms=0, method="fork")
    assert verdict.endswith("The consumers had too little to do; try more producers.")


def test_waiting_is_read_from_a_recording_of_a_queue():
    with pytest.raises(TypeError, match="run must be a recording"):
        queues.waiting_share([], "put")
    with pytest.raises(ValueError, match="kind must be one of put, get"):
        queues.waiting_share(Trace(), "send")
    with record() as run:
        pass
    with pytest.raises(ValueError, match="there is none in it"):
        queues.waiting_share(run, "put")


@pytest.mark.parametrize("bad", BAD_NUMBERS)
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("producers", lambda bad: queues.workshop(bad, 1, 0, 1, 1)),
        ("consumers", lambda bad: queues.workshop(1, bad, 0, 1, 1)),
        ("producers", lambda bad: queues.stream_time("spawn", "Queue", bad, 100)),
        ("workers", lambda bad: queues.deal_out("spawn", [0.1], bad, shared=True)),
    ],
)
def test_a_bad_number_of_processes_is_refused(bad, name, call):
    with pytest.raises((TypeError, ValueError), match=f"{name} must be .* not {bad!r}"):
        call(bad)


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ("items must be .* not 1", lambda: queues.stream_time("spawn", "Queue", 2, 1)),
        ("kind must be one of Queue.*'Pipe'", lambda: queues.stream_time("spawn", "Pipe", 1, 10)),
        ("jobs.0. must be .* not -1", lambda: queues.deal_out("spawn", [-1], 1, shared=True)),
        ("maxsize must be .* not -1", lambda: queues.workshop(1, 1, -1, 1, 1)),
        ("making_ms must be .* not 'two'", lambda: queues.workshop(1, 1, 1, "two", 1)),
        ("work_ms must be .* not -1", lambda: queues.workshop(1, 1, 1, 1, -1)),
        ("method must be one of .*'thread'", lambda: queues.workshop(1, 1, 1, 1, 1, method="thread")),
        ("method must be one of .*'thread'", lambda: queues.stream_time("thread", "Queue", 1, 10)),
        ("method must be one of .*'thread'", lambda: queues.deal_out("thread", [0.1], 1, shared=True)),
        ("seconds must be .* not 0", lambda: queues.until(bool, seconds=0)),
    ],
)
def test_bad_input_is_refused_by_name(words, call):
    with pytest.raises((TypeError, ValueError), match=words):
        call()


@each_method
def test_the_owner_of_a_count_loses_nothing(ctx):
    with supervised(10):
        ones, result = ctx.Queue(), ctx.Queue()
        children = [start(ctx, queues.put_ones, ones, 4) for _ in range(3)]
        start(ctx, queues.keep_count, ones, result)
        for child in children:
            child.join()
        ones.put(queues.PILL)
        assert result.get() == 12

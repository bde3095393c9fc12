"""The workers and experiments of this lesson do what the lesson says of them, under every start method."""

import io
import time
from contextlib import redirect_stderr
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
def test_an_item_that_was_put_later_can_come_out_first(ctx):
    with supervised(10):
        letters, allowed, posted = ctx.Queue(), ctx.Event(), ctx.Event()
        start(ctx, queues.post_slowly, letters, "from Ann", allowed, posted)
        start(ctx, queues.post_after, letters, "from Bob", posted)
        first = letters.get()
        allowed.set()
        assert [first, letters.get()] == ["from Bob", "from Ann"]


def test_what_is_changed_after_put_is_sent_changed():
    with supervised(10):
        letters, allowed = spawn.Queue(), spawn.Event()
        items = ["bread"]
        letters.put(queues.Letter("a letter", allowed))
        letters.put(items)
        items.append("milk")
        allowed.set()
        assert [letters.get(), letters.get()] == ["a letter", ["bread", "milk"]]


def test_empty_and_qsize_disagree_while_an_item_has_not_left():
    with supervised(10):
        letters, allowed = spawn.Queue(), spawn.Event()
        letters.put(queues.Letter("a letter", allowed))
        assert letters.empty() and queues.size_of(letters) in (1, "not available on macOS")
        allowed.set()
        assert letters.get() == "a letter"


def test_a_queue_that_cannot_tell_its_size_is_not_an_error(monkeypatch):
    letters = spawn.Queue()

    def not_here():
        raise NotImplementedError

    monkeypatch.setattr(letters, "qsize", not_here)
    assert queues.size_of(letters) == "not available on macOS"


@each_method
def test_an_item_that_cannot_be_packed_never_arrives_and_only_the_error_output_tells(ctx):
    with redirect_stderr(io.StringIO()) as errors, supervised(10) as family:
        letters, received = ctx.Queue(), ctx.Event()
        start(ctx, queues.post_unpackable, letters, received)
        assert letters.get() == "the next item"
        received.set()
    assert family.reports[0].exitcode == 0
    assert "post_unpackable" in errors.getvalue() and "Error" in errors.getvalue()


@pytest.mark.parametrize("method", get_all_start_methods())
def test_a_small_item_lets_its_child_end_and_a_large_one_does_not(method):
    largest = queues.largest_item_that_lets_join(method, 1_000, 2_000_000, within=1_000_000)
    assert 1_000 <= largest < 1_000_000


def test_sizes_that_cannot_be_bisected_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="high must be a size with which the child hangs; it ends with 2,000 bytes"):
        queues.largest_item_that_lets_join("spawn", 1_000, 2_000)
    monkeypatch.setattr(queues, "PATIENCE", 0.2)
    with pytest.raises(ValueError, match="low must be a size with which the child ends; it hangs with 2,000,000"):
        queues.largest_item_that_lets_join("spawn", 2_000_000, 3_000_000)


def test_join_before_get_hangs_and_says_where():
    with expect_failure(1.5) as failure:
        letters, posted = spawn.Queue(), spawn.Event()
        child = start(spawn, queues.post_bytes, letters, 1_000_000, posted)
        child.join()
    assert "child.join()" in str(failure)


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
    assert verdict.endswith("The limit holds the producers back; more consumers would help.")


def test_consumers_wait_for_a_slow_producer():
    _, verdict = queues.workshop(1, 2, maxsize=0, making_ms=10, work_ms=0)
    assert verdict.endswith("The consumers have too little to do; more producers would help.")


@pytest.mark.skipif("fork" not in get_all_start_methods(), reason="the children must inherit what is late")
def test_consumers_that_are_late_to_start_change_no_verdict(monkeypatch):
    def run_late(self):
        time.sleep(0.5 * (queues.consume in (self._target, *self._args)))
        run(self)

    run = BaseProcess.run
    monkeypatch.setattr(BaseProcess, "run", run_late)
    _, verdict = queues.workshop(1, 2, maxsize=0, making_ms=10, work_ms=0, method="fork")
    assert verdict.endswith("The consumers have too little to do; more producers would help.")


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
        ("low must be from 0 to 99, not -1", lambda: queues.largest_item_that_lets_join("spawn", -1, 100)),
        ("low must be from 0 to 99, not 100", lambda: queues.largest_item_that_lets_join("spawn", 100, 100)),
        ("high must be .* not None", lambda: queues.largest_item_that_lets_join("spawn", 1, None)),
        ("within must be .* not 0", lambda: queues.largest_item_that_lets_join("spawn", 1, 100, within=0)),
        ("items must be .* not 1", lambda: queues.stream_time("spawn", "Queue", 2, 1)),
        ("kind must be one of Queue.*'Pipe'", lambda: queues.stream_time("spawn", "Pipe", 1, 10)),
        ("jobs.0. must be .* not -1", lambda: queues.deal_out("spawn", [-1], 1, shared=True)),
        ("maxsize must be .* not -1", lambda: queues.workshop(1, 1, -1, 1, 1)),
        ("making_ms must be .* not 'two'", lambda: queues.workshop(1, 1, 1, "two", 1)),
        ("work_ms must be .* not -1", lambda: queues.workshop(1, 1, 1, 1, -1)),
        ("method must be one of .*'thread'", lambda: queues.workshop(1, 1, 1, 1, 1, method="thread")),
        ("method must be one of .*'thread'", lambda: queues.largest_item_that_lets_join("thread", 1, 100)),
        ("method must be one of .*'thread'", lambda: queues.stream_time("thread", "Queue", 1, 10)),
        ("method must be one of .*'thread'", lambda: queues.deal_out("thread", [0.1], 1, shared=True)),
        ("seconds must be .* not 0", lambda: queues.until(bool, seconds=0)),
    ],
)
def test_bad_input_is_refused_by_name(words, call):
    with pytest.raises((TypeError, ValueError), match=words):
        call()

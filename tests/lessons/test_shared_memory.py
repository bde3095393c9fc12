"""The workers of this lesson do what the lesson says of them: lose updates for certain, and keep them with a lock."""

import time
from multiprocessing import get_all_start_methods, get_context

import pytest

from helpers.lessons import shared_memory
from helpers.measuring.repeats import Repeats
from helpers.show import outcomes
from helpers.supervision.supervisor import supervised

spawn = get_context("spawn")
each_method = pytest.mark.parametrize("ctx", [get_context(name) for name in get_all_start_methods()])


def run_all(ctx, *jobs):
    """Run one child for each (worker, arguments), to its end."""
    children = [ctx.Process(target=worker, args=arguments) for worker, *arguments in jobs]
    for child in children:
        child.start()
    for child in children:
        child.join()


@each_method
def test_the_textbook_listing_adds_no_more_than_five(ctx):
    with supervised(30):
        counter = ctx.Value("i", 0)
        run_all(ctx, *[(shared_memory.add_one, counter)] * 5)
    assert 1 <= counter.value <= 5


@each_method
def test_updates_are_lost_for_certain_when_all_have_read_before_one_writes(ctx):
    with supervised(30):
        counter, all_have_read = ctx.Value("i", 0), ctx.Barrier(3)
        run_all(ctx, *[(shared_memory.add_after_all_have_read, counter, all_have_read)] * 3)
    assert counter.value == 1


@each_method
def test_the_lock_held_over_both_halves_keeps_every_update(ctx):
    with supervised(30):
        counter = ctx.Value("i", 0)
        run_all(ctx, *[(shared_memory.add_with_lock, counter, 0.01)] * 3)
    assert counter.value == 3


def test_the_wide_window_loses_in_99_of_100_runs_each_within_a_second():
    begin = time.perf_counter()
    repeats = shared_memory.count_often(spawn, runs=100)
    assert repeats.share(lambda total: total < 5).count >= 99
    assert repeats.runs == 100
    assert repeats.seconds / 100 < 1 and repeats.seconds < time.perf_counter() - begin


@each_method
def test_the_lock_keeps_every_update_of_every_run(ctx):
    repeats = shared_memory.count_often(ctx, runs=10, workers=3, increments=3, window=0.001, lock=True)
    assert repeats.counts == {9: 10}


@each_method
def test_one_worker_loses_nothing(ctx):
    assert shared_memory.count_often(ctx, runs=5, workers=1, increments=100, window=0).counts == {100: 5}


def test_progress_is_told_of_each_run():
    told = []
    shared_memory.count_often(spawn, runs=3, workers=2, window=0, progress=told.append)
    assert told == [1, 2, 3]


@each_method
def test_a_reader_that_looks_between_two_fields_sees_a_time_that_never_was(ctx):
    with supervised(30):
        clock, half_way, seen = ctx.Value(shared_memory.Clock, 9, 59), ctx.Event(), ctx.Event()
        answer, result = ctx.Pipe(duplex=False)
        run_all(
            ctx,
            (shared_memory.strike_ten, clock, half_way, seen),
            (shared_memory.look_half_way, clock, half_way, seen, result),
        )
        assert answer.recv() == "10:59"
    assert (clock.hour, clock.minute) == (10, 0)


@each_method
def test_a_reader_with_the_lock_sees_the_time(ctx):
    with supervised(30):
        clock, half_way = ctx.Value(shared_memory.Clock, 9, 59), ctx.Event()
        answer, result = ctx.Pipe(duplex=False)
        run_all(
            ctx,
            (shared_memory.strike_ten_with_lock, clock, half_way),
            (shared_memory.look_with_lock, clock, half_way, result),
        )
        assert answer.recv() == "10:00"


def busy(ctx, numbers, seconds):
    """Return the sum that came through the slot and the processor time of its consumer."""
    with supervised(30):
        slot, report = ctx.Value("i", 0), ctx.Array("d", 2)
        run_all(
            ctx,
            (shared_memory.consume_busily, slot, numbers, report),
            (shared_memory.produce_for_busy, slot, numbers, seconds),
        )
        return tuple(report)


def through_ring(ctx, numbers, seconds, places=3):
    """Return the sum that came through the ring and the processor time of its consumer."""
    with supervised(30):
        ring, free, filled = ctx.Array("i", places, lock=False), ctx.Semaphore(places), ctx.Semaphore(0)
        report, shared = ctx.Array("d", 2), (ring, free, filled, numbers)
        run_all(ctx, (shared_memory.consume, *shared, report), (shared_memory.produce, *shared, seconds))
        return tuple(report)


@each_method
def test_every_number_comes_through_slot_and_ring(ctx):
    assert busy(ctx, 10, 0)[0] == 55
    assert through_ring(ctx, 10, 0)[0] == 55


def test_a_ring_of_one_place_and_one_that_is_never_full():
    assert through_ring(spawn, 10, 0, places=1)[0] == through_ring(spawn, 10, 0, places=20)[0] == 55


def test_the_ring_waits_without_the_processor():
    # both wait for 200 ms, less the time that a busy machine takes away
    assert through_ring(spawn, 10, 0.02)[1] < busy(spawn, 10, 0.02)[1] / 2


@pytest.mark.parametrize("kind", ["RawValue", "Value", "Value, get_lock()"])
def test_updates_take_time(kind):
    assert shared_memory.update_time(spawn, kind, 1_000) > 0


def test_the_panel_says_what_was_lost(monkeypatch):
    monkeypatch.setattr(shared_memory, "PANEL_TIME", 0.2)
    data, verdict = shared_memory.play(workers=3, increments=2, window_ms=5.0, lock=False)
    assert "runs lost updates" in outcomes(**data).title
    assert "lost an update. Of all updates" in verdict and "A run took" in verdict


def test_the_panel_loses_nothing_with_the_lock(monkeypatch):
    monkeypatch.setattr(shared_memory, "PANEL_TIME", 0.2)
    data, verdict = shared_memory.play(workers=8, increments=20, window_ms=0, lock=True)
    assert outcomes(**data).title.startswith("8 workers x 20: 0 of ")
    assert "Of all updates 0 % were lost" in verdict


@pytest.mark.parametrize("workers", [0, -1, 10**6])
def test_a_number_of_workers_out_of_range_is_refused(workers):
    with pytest.raises(ValueError, match=f"workers must be from 1 to 64, not {workers}"):
        shared_memory.count_often(spawn, 5, workers=workers)
    with pytest.raises(ValueError, match=f"workers must be from 1 to 64, not {workers}"):
        shared_memory.play(workers, 1, 0, False)


@pytest.mark.parametrize("workers", [1.5, "two", None])
def test_workers_that_are_no_whole_number_are_refused(workers):
    with pytest.raises(TypeError, match=f"workers must be a whole number from 1 to 64, not {workers!r}"):
        shared_memory.count_often(spawn, 5, workers=workers)
    with pytest.raises(TypeError, match=f"workers must be a whole number from 1 to 64, not {workers!r}"):
        shared_memory.play(workers, 1, 0, False)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"runs": 0}, ValueError, "runs must be from 1 to 10,000, not 0"),
        ({"runs": "two"}, TypeError, "runs must be a whole number from 1 to 10,000, not 'two'"),
        ({"increments": -1}, ValueError, "increments must be from 1 to 1,000,000, not -1"),
        ({"increments": None}, TypeError, "increments must be a whole number from 1 to 1,000,000, not None"),
        ({"window": -0.1}, ValueError, "window must be from 0 to 1 s, not -0.1"),
        ({"window": "wide"}, TypeError, "window must be a number from 0 to 1 s, not 'wide'"),
        ({"lock": "yes"}, TypeError, "lock must be True or False, not 'yes'"),
        ({"progress": 3}, TypeError, "progress must be a function .* not 3"),
        ({"ctx": "spawn"}, TypeError, r"ctx must be a context, such as get_context\('spawn'\), not 'spawn'"),
    ],
)
def test_bad_input_is_refused_before_a_process_starts(bad, error, message, monkeypatch):
    def start(process):
        raise AssertionError(f"{process.name} was started")

    monkeypatch.setattr("multiprocessing.process.BaseProcess.start", start)
    with pytest.raises(error, match=message):
        shared_memory.count_often(**{"ctx": spawn, "runs": 5, **bad})


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"increments": 0}, ValueError, "increments must be from 1 to 1,000,000, not 0"),
        ({"window_ms": -1}, ValueError, "window_ms must be from 0 to 1000 ms, not -1"),
        ({"window_ms": None}, TypeError, "window_ms must be a number from 0 to 1000 ms, not None"),
        ({"lock": "maybe"}, TypeError, "lock must be True or False, not 'maybe'"),
    ],
)
def test_bad_knobs_of_the_panel_are_refused(bad, error, message):
    with pytest.raises(error, match=message):
        shared_memory.play(**{"workers": 2, "increments": 1, "window_ms": 0, "lock": False, **bad})


def test_bad_input_to_update_time_is_refused():
    with pytest.raises(ValueError, match="kind must be one of RawValue, Value, Value, get_lock"):
        shared_memory.update_time(spawn, "Manager", 5)
    with pytest.raises(ValueError, match="times must be from 1 to 10,000,000, not 0"):
        shared_memory.update_time(spawn, "Value", 0)
    with pytest.raises(TypeError, match="ctx must be a context"):
        shared_memory.update_time(None, "Value", 5)


def test_the_share_of_losing_runs_counts_runs_with_less_than_was_added(monkeypatch):
    monkeypatch.setattr(shared_memory, "count_often", lambda *args, window: Repeats({8: 3, 7: 1}, 1.0))
    share = shared_memory.losing(spawn, runs=4, workers=2, increments=4)
    assert (share.count, share.runs) == (1, 4)

"""The workers and experiments of this lesson do what the lesson says of them, under every start method."""

import io
from contextlib import redirect_stderr
from multiprocessing import get_all_start_methods, get_context

import pytest

from helpers.lessons import inside_a_queue
from helpers.supervision.supervisor import expect_failure, supervised

spawn = get_context("spawn")
each_method = pytest.mark.parametrize("ctx", [get_context(name) for name in get_all_start_methods()])


def start(ctx, worker, *arguments, **options):
    child = ctx.Process(target=worker, args=arguments, **options)
    child.start()
    return child


@each_method
def test_an_item_that_was_put_later_can_come_out_first(ctx):
    with supervised(10):
        letters, allowed, posted = ctx.Queue(), ctx.Event(), ctx.Event()
        start(ctx, inside_a_queue.post_slowly, letters, "from Ann", allowed, posted)
        start(ctx, inside_a_queue.post_after, letters, "from Bob", posted)
        first = letters.get()
        allowed.set()
        assert [first, letters.get()] == ["from Bob", "from Ann"]


def test_what_is_changed_after_put_is_sent_changed():
    with supervised(10):
        letters, allowed = spawn.Queue(), spawn.Event()
        items = ["bread"]
        letters.put(inside_a_queue.Letter("a letter", allowed))
        letters.put(items)
        items.append("milk")
        allowed.set()
        assert [letters.get(), letters.get()] == ["a letter", ["bread", "milk"]]


def test_empty_and_qsize_disagree_while_an_item_has_not_left():
    with supervised(10):
        letters, allowed = spawn.Queue(), spawn.Event()
        letters.put(inside_a_queue.Letter("a letter", allowed))
        assert letters.empty() and inside_a_queue.size_of(letters) in (1, "not available on macOS")
        allowed.set()
        assert letters.get() == "a letter"


def test_a_queue_that_cannot_tell_its_size_is_not_an_error(monkeypatch):
    letters = spawn.Queue()

    def not_here():
        raise NotImplementedError

    monkeypatch.setattr(letters, "qsize", not_here)
    assert inside_a_queue.size_of(letters) == "not available on macOS"


@each_method
def test_an_item_that_cannot_be_packed_never_arrives_and_only_the_error_output_tells(ctx):
    with redirect_stderr(io.StringIO()) as errors, supervised(10) as family:
        letters, received = ctx.Queue(), ctx.Event()
        start(ctx, inside_a_queue.post_unpackable, letters, received)
        assert letters.get() == "the next item"
        received.set()
    assert family.reports[0].exitcode == 0
    assert "post_unpackable" in errors.getvalue() and "Error" in errors.getvalue()


@pytest.mark.parametrize("method", get_all_start_methods())
def test_a_small_item_lets_its_child_end_and_a_large_one_does_not(method):
    largest = inside_a_queue.largest_item_that_lets_join(method, 1_000, 2_000_000, within=1_000_000)
    assert 1_000 <= largest < 1_000_000


def test_sizes_that_cannot_be_bisected_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="high must be a size with which the child hangs; it ends with 2,000 bytes"):
        inside_a_queue.largest_item_that_lets_join("spawn", 1_000, 2_000)
    monkeypatch.setattr(inside_a_queue, "PATIENCE", 0.2)
    with pytest.raises(ValueError, match="low must be a size with which the child ends; it hangs with 2,000,000"):
        inside_a_queue.largest_item_that_lets_join("spawn", 2_000_000, 3_000_000)


def test_join_before_get_hangs_and_says_where():
    with expect_failure(1.5) as failure:
        letters, posted = spawn.Queue(), spawn.Event()
        child = start(spawn, inside_a_queue.post_bytes, letters, 1_000_000, posted)
        child.join()
    assert "child.join()" in str(failure)


@pytest.mark.parametrize(("kilobytes", "take_first"), [(1, False), (1_000, False), (1_000, True)])
def test_the_panel_says_whether_the_child_could_end(kilobytes, take_first, monkeypatch):
    monkeypatch.setattr(inside_a_queue, "PANEL_PATIENCE", 0.5)
    drawn, verdict = inside_a_queue.leave_unread(kilobytes, take_first)
    expected = {
        (1, False): "The child ended, although nobody had taken the 1 kB yet.",
        (1_000, False): "After 0.5 s the child had not ended. It did once the 1,000 kB were taken.",
        (1_000, True): "The parent took the 1,000 kB first, and the child ended.",
    }
    assert verdict == expected[kilobytes, take_first]
    assert drawn["run"].processes[1].exitcode == 0


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ("low must be from 0 to 99, not -1", lambda: inside_a_queue.largest_item_that_lets_join("spawn", -1, 100)),
        ("low must be from 0 to 99, not 100", lambda: inside_a_queue.largest_item_that_lets_join("spawn", 100, 100)),
        ("high must be .* not None", lambda: inside_a_queue.largest_item_that_lets_join("spawn", 1, None)),
        ("within must be .* not 0", lambda: inside_a_queue.largest_item_that_lets_join("spawn", 1, 100, within=0)),
        ("method must be one of .*'thread'", lambda: inside_a_queue.largest_item_that_lets_join("thread", 1, 100)),
        ("kilobytes must be .* not 0", lambda: inside_a_queue.leave_unread(0, False)),
        ("take_first must be .* not 1", lambda: inside_a_queue.leave_unread(1, 1)),
    ],
)
def test_bad_input_is_refused_by_name(words, call):
    with pytest.raises((TypeError, ValueError), match=words):
        call()

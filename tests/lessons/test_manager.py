"""What the lesson says of managers holds, under every start method."""

import re
import secrets
from multiprocessing import active_children, get_all_start_methods, get_context
from pathlib import Path
from threading import Thread

import pytest

from helpers.lessons import manager
from helpers.recording.recorder import record
from helpers.show import lanes
from helpers.supervision.supervisor import expect_failure, supervised

spawn = get_context("spawn")
METHODS = get_all_start_methods()
each_method = pytest.mark.parametrize("ctx", [get_context(name) for name in METHODS], ids=METHODS)
KEY = secrets.token_bytes(32)


def run_to_the_end(ctx, worker, *arguments):
    child = ctx.Process(target=worker, args=arguments)
    child.start()
    child.join()


def started_clerk(ctx):
    # with an address, so that even a killed one leaves no socket's file behind
    clerk = manager.Clerk(("127.0.0.1", 0), ctx=ctx)
    clerk.start()
    return clerk


def started_office(ctx):
    office = manager.Office(("127.0.0.1", 0), authkey=KEY, ctx=ctx)
    office.start()
    return office


@each_method
def test_each_access_of_a_worker_is_a_request_that_the_manager_serves(ctx):
    with record(20) as run:
        book = ctx.Manager().dict(title="Emma")
        run_to_the_end(ctx, manager.sign, book, "Ann")
        assert book.copy() == {"title": "Emma", "Ann": "Ann has read 'Emma'"}
    requests = [event.detail for event in run.events if event.kind == "call" and event.process == 2]
    served = [event.detail for event in run.events if event.kind == "serve"]
    assert requests == ["__getitem__", "__setitem__"]
    assert served == [*requests, "copy"]


@each_method
def test_namespace_event_queue_and_list_work_together(ctx):
    with supervised(20):
        clerk = ctx.Manager()
        settings, jobs, results = clerk.Namespace(factor=10), clerk.Queue(), clerk.list()
        ready, go = clerk.Event(), clerk.Event()
        for job in [1, 2, None]:
            jobs.put(job)
        go.set()
        run_to_the_end(ctx, manager.work, settings, ready, go, jobs, results)
        assert ready.is_set() and list(results) == [10, 20]


@each_method
def test_a_proxy_travels_and_both_ends_use_the_same_list(ctx):
    with supervised(20):
        basket = ctx.Manager().list()
        reader, writer = ctx.Pipe(duplex=False)
        run_to_the_end(ctx, manager.pass_on, basket, writer)
        run_to_the_end(ctx, manager.fill, reader)
        assert list(basket) == ["apple", "pear"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how, expected", [("read then write", 4), ("with the manager's lock", 12), ("one call", 12)])
def test_only_read_then_write_loses_updates_and_always(method, how, expected):
    final, run = manager.count(3, 4, how, method)
    assert final == expected
    assert len(run.processes) == 5


@pytest.mark.parametrize("how, requests", list(zip(manager.WAYS, [2, 4, 1], strict=True)))
def test_each_way_takes_its_number_of_requests(how, requests):
    _, run = manager.count(1, 10, how)
    assert sum(event.kind == "call" and event.process == 2 for event in run.events) == 10 * requests


def test_a_tally_counts_right_in_many_threads():
    tally = manager.Tally()
    threads = [Thread(target=lambda: [tally.add("n") for _ in range(2_000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tally.total("n"), tally.total("nobody")) == (8_000, 0)


def test_a_change_inside_a_nested_list_is_lost_unless_written_back_or_nested_as_proxy():
    with supervised(20):
        clerk = spawn.Manager()
        book = clerk.dict(plain=[], back=[], proxy=clerk.list())
        book["plain"].append(1)
        book["back"] += [1]
        book["proxy"].append(1)
        assert (book["plain"], book["back"], list(book["proxy"])) == ([], [1], [1])


@each_method
def test_when_the_manager_is_killed_every_proxy_raises(ctx):
    with supervised(20) as family, expect_failure(20):
        book = started_clerk(ctx).dict(title="Emma")
        ours, theirs = ctx.Pipe()
        [server] = active_children()
        child = ctx.Process(target=manager.ask_twice, args=(book, theirs))
        child.start()
        assert ours.recv() == "Emma"
        server.kill()
        server.join()
        ours.send("again")
        assert ours.recv() in {"EOFError", "BrokenPipeError", "ConnectionResetError"}
        with pytest.raises((EOFError, OSError)):
            book.copy()
        child.join()
        assert child.exitcode == 0
    assert family.reports == []


@each_method
def test_an_office_lets_in_whoever_has_the_key_and_stays_open_after_a_wrong_one(ctx):
    with expect_failure(20) as failure:
        office = started_office(ctx)
        for name, key in [("friend", KEY), ("stranger", b"let me in"), ("friend", KEY)]:
            run_to_the_end(ctx, manager.visit, office.address, key, name)
        assert (office.tally().total("friend"), office.tally().total("stranger")) == (2, 0)
    assert [report.exitcode for report in failure.error.reports].count(1) == 1
    assert "AuthenticationError" in str(failure)


@each_method
def test_who_has_the_key_can_have_any_call_made_in_the_manager(ctx):
    with supervised(20):
        office = started_office(ctx)
        [server] = active_children()
        run_to_the_end(ctx, manager.intrude, office.address, KEY)
        assert office.tally().total(server.pid) == 1


def test_who_has_not_the_key_is_turned_away_before_anything_of_theirs_is_unpickled():
    with expect_failure(20) as failure:
        office = started_office(spawn)
        [server] = active_children()
        run_to_the_end(spawn, manager.intrude, office.address, secrets.token_bytes(32))
        assert office.tally().total(server.pid) == 0
    assert "AuthenticationError" in str(failure)


@pytest.mark.parametrize("folder", ["helpers/lessons", "notebooks"])
def test_no_lesson_has_a_key_in_its_text(folder):
    for path in (Path(__file__).parents[2] / folder).iterdir():
        if path.suffix in (".py", ".ipynb"):
            assert not re.search(r"authkey ?= ?b", path.read_text(encoding="utf-8")), path


def test_a_clerk_keeps_a_tally_besides_all_that_others_keep():
    with supervised(20):
        clerk = started_clerk(spawn)
        tally = clerk.Tally()
        tally.add("n")
        assert (tally.total("n"), list(clerk.list([1]))) == (1, [1])


def test_the_panel_says_how_many_additions_were_lost():
    data, verdict = manager.count_together(2, 3, "read then write")
    assert verdict.startswith("6 additions were made, and the count is 3: 3 lost.")
    assert lanes(**data).title.startswith("3 of 6 additions lost")


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "two", None, 10**6, True])
@pytest.mark.parametrize("name", ["workers", "additions"])
def test_wrong_numbers_are_named_before_anything_starts(name, wrong):
    arguments = {"workers": 1, "additions": 1, "how": "one call"} | {name: wrong}
    for experiment in (manager.count, manager.count_together):
        with pytest.raises((TypeError, ValueError), match=f"{name} must be .* from 1 to|{name} must be from 1 to"):
            experiment(**arguments)
    assert active_children() == []


@pytest.mark.parametrize("wrong", ["two calls", "", None, 1])
def test_an_unknown_way_or_start_method_is_named(wrong):
    with pytest.raises((TypeError, ValueError), match="how must be one of read then write, .*, not"):
        manager.count(1, 1, wrong)
    with pytest.raises((TypeError, ValueError), match="method must be one of .*, not"):
        manager.count(1, 1, "one call", wrong)


@each_method
def test_the_line_of_the_tutorials_adds_one_to_what_it_reads(ctx):
    with record() as run:
        shared = ctx.Manager().dict()
        for expected in (1, 2):
            child = ctx.Process(target=manager.add_as_printed, args=(shared,))
            child.start()
            child.join()
            assert shared["count"] == expected
    requests = [event.detail for event in run.events if event.kind == "call" and event.process > 1]
    assert requests == ["get", "__setitem__"] * 2

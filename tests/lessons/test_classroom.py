"""The lesson on the class: files of one's own keep every line, one file for all does not."""

from multiprocessing import get_all_start_methods, get_context

import pytest

from helpers.classroom import read_class
from helpers.lessons import classroom
from helpers.show import bars
from helpers.supervision import expect_failure, supervised

each_method = pytest.mark.parametrize("ctx", [get_context(name) for name in get_all_start_methods()])


@each_method
def test_one_file_that_all_write_anew_keeps_one_line(ctx, tmp_path):
    path = tmp_path / "class.txt"
    path.touch()
    with supervised():
        all_have_read = ctx.Barrier(3)
        for name in ["Ada", "Bob", "Cyn"]:
            ctx.Process(target=classroom.copy_and_add, args=(str(path), name, all_have_read)).start()
    assert path.read_text().splitlines() in [["Ada"], ["Bob"], ["Cyn"]]


@each_method
def test_files_of_their_own_keep_every_line(ctx):
    assert classroom.in_own_files(ctx, learners=3, lines=50) == 150


def test_a_class_is_held_and_read(tmp_path):
    classroom.hold_class(get_context("spawn"), str(tmp_path), 4)
    found = read_class(tmp_path)
    assert len(found.people) == 4 and found.problems == ()
    (vote,), (standing,) = found.votes, found.standings
    assert sum(vote.before.values()) == 4 and standing.tried == 4


def test_who_stops_in_the_middle_of_a_line_is_read_up_to_it(tmp_path):
    with expect_failure(deadline=20):
        ctx = get_context("spawn")
        start = ctx.Barrier(1)
        child = ctx.Process(target=classroom.stop_in_the_middle, args=(str(tmp_path), "Ada", "0" * 8, start))
        child.start()
        child.join()
    assert classroom.QUESTIONS["power_cut"].judge(read_class(tmp_path)) == "whole"


def test_a_class_is_measured_with_half_beside_it_and_drawn(monkeypatch):
    monkeypatch.setattr(classroom, "seconds_to_read", lambda files, lines: files * lines / 1e6)
    data, verdict = classroom.play(400, 10)
    assert data["seconds"] == {"200 files": 0.002, "400 files": 0.004}
    assert verdict == "A file took 0.01 ms."


def test_files_are_read_for_the_panel():
    data, verdict = classroom.play(4, 10)
    assert min(data["seconds"].values()) > 0 and verdict.startswith("A file took ") and "files" in bars(**data).words


@pytest.mark.parametrize("learners", [0, 41])
def test_a_class_out_of_range_is_refused(learners, tmp_path):
    with pytest.raises(ValueError, match=f"learners must be from 1 to 40, not {learners}"):
        classroom.hold_class(get_context("spawn"), str(tmp_path), learners)


@pytest.mark.parametrize("measured", [0, 1, 5])
def test_the_question_on_one_file_is_settled_by_what_was_counted(measured):
    asked = classroom.QUESTIONS["one_file"]
    assert asked.judge(measured) == str(measured) and str(measured) in asked.answers

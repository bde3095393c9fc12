"""A teacher reads forty files in two seconds, while they are written, and is told what is wrong with five of them."""

import json
import random
import threading
import time

import pytest

from helpers.classroom import read_class
from helpers.classroom.lines import FORMAT, head
from helpers.show import at_a_glance
from tests.classroom.simulated import MISTAKE, WHEN, file_of, spoil, write_class


def test_forty_files_five_of_them_bad_take_two_seconds_and_get_five_clear_words(tmp_path):
    bad = spoil(tmp_path, write_class(tmp_path))
    begin = time.perf_counter()
    classroom = read_class(tmp_path)
    html = at_a_glance(classroom).html()
    assert time.perf_counter() - begin < 2
    assert len(classroom.problems) == 5
    for name, words in bad.items():
        (said,) = [problem for problem in classroom.problems if name in problem]
        assert words in said and said.endswith(".")
        assert name in html
    # of the damaged file the other lines count, and nobody counts twice
    assert len(classroom.people) == 37


def test_first_answers_and_those_after_the_discussion_are_counted_and_none_after_the_verdict(tmp_path):
    write_class(tmp_path, 30)
    (vote,) = read_class(tmp_path).votes
    assert sum(vote.before.values()) == sum(vote.after.values()) == 30
    # nobody said so at first, and most did in the end: all of those who were told would say it
    assert "10:59" not in vote.before and 5 < vote.after["10:59"] < 30


def test_the_exercise_at_which_most_are_stuck_comes_first_with_its_usual_mistake(tmp_path):
    write_class(tmp_path, 30)
    (standing,) = read_class(tmp_path).standings
    assert (standing.tried, standing.mistake) == (30, MISTAKE)
    assert 0 < standing.stuck == standing.made_by < 30
    assert f"{standing.stuck} of 30 who tried till have not solved it yet." in str(at_a_glance(read_class(tmp_path)))


def test_the_page_shows_questions_exercises_and_machines_and_tells_no_answer(tmp_path):
    write_class(tmp_path, 12)
    glance = at_a_glance(read_class(tmp_path))
    page = glance.page(2)
    assert '<meta http-equiv="refresh" content="2">' in page
    assert "Which time does the other process read?" in page and MISTAKE in page
    assert glance.picture is not None and "12 machines" in glance.picture.title
    assert "It was never that time" not in page
    assert "src='http" not in page and 'src="http' not in page


def test_what_people_write_is_text_and_nothing_else(tmp_path):
    attack = "<script>alert(1)</script>"
    line = {"kind": "answer", "lesson": attack, "name": attack, "answer": attack, "when": WHEN}
    wrong = {"kind": "exercise", "lesson": "x", "name": attack, "answer": "wrong", "mistake": attack, "when": WHEN}
    other = line | {"lesson": "os.path", "name": "x"}
    lines = [head("Eve", "0" * 8), *map(json.dumps, (line, wrong, other))]
    (tmp_path / "eve.jsonl").write_text("\n".join([*lines, ""]))
    assert "<script" not in at_a_glance(read_class(tmp_path)).html()


def test_two_of_one_nickname_are_told_apart(tmp_path):
    chance = random.Random(1)
    for key in ("0" * 8, "1" * 8):
        (tmp_path / f"Ada-{key}.jsonl").write_text(file_of("Ada", key, chance))
    classroom = read_class(tmp_path)
    assert list(classroom.by_name) == ["Ada", "Ada 2"] and classroom.problems == ()


def test_a_file_is_read_while_it_is_being_written(tmp_path):
    content = file_of("Ada", "0" * 8, random.Random(1)).encode()
    path = tmp_path / "ada.jsonl"
    path.write_bytes(content[: content.index(b"\n") + 1])
    rest = content[content.index(b"\n") + 1 :]
    stop = threading.Event()

    def write():
        with path.open("ab", buffering=0) as file:
            for _ in range(200):
                for place in range(0, len(rest), 7):
                    file.write(rest[place : place + 7])
        stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    counts = []
    while not stop.is_set():
        classroom = read_class(tmp_path)
        assert classroom.problems == ()
        counts.append(len(classroom.people[0].lines))
    writer.join()
    assert counts == sorted(counts)
    assert len(read_class(tmp_path).people[0].lines) == 200 * rest.count(b"\n")


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ({}, "is damaged: its format has the version None"),
        ("[1]", "holds something else"),
        ({"version": "one"}, "is damaged: its format has the version 'one'"),
        (
            '{"format": "talking-processes class", "version": 1, "nickname": "../x", "key": "00000000"}',
            "nickname must be",
        ),
        (
            '{"format": "talking-processes class", "version": 1, "nickname": "x", "key": "no"}',
            "key must be eight digits",
        ),
        ("[" * 100_000, "is damaged, or holds something else"),
    ],
)
def test_a_head_that_is_none_is_told(tmp_path, first, said):
    text = first if isinstance(first, str) else json.dumps({"format": FORMAT, **first})
    (tmp_path / "x.jsonl").write_text(f"{text}\n")
    (problem,) = read_class(tmp_path).problems
    assert problem.startswith("x.jsonl ") and said in problem


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "x.jsonl").open("wb") as file:
        file.truncate(10**10)
    assert "x.jsonl is too large" in read_class(tmp_path).problems[0]


def test_a_class_without_a_folder_is_refused(tmp_path):
    with pytest.raises(NotADirectoryError, match="There is no folder .*none"):
        read_class(tmp_path / "none")


def test_an_empty_class_is_one(tmp_path):
    assert str(at_a_glance(read_class(tmp_path))) == "0 people in this class."

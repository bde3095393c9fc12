"""Compare: pairs are measured apart, too few show nothing, and each verdict is what the numbers say."""

from multiprocessing import get_all_start_methods, get_context

import pytest

from helpers.experiments import read_sets
from helpers.experiments.files import MEASURED
from helpers.lessons import compare
from helpers.measuring.compare import Ratio, compare_results, ratio
from helpers.measuring.results import Timings
from helpers.supervision import supervised


@pytest.mark.parametrize("method", get_all_start_methods())
def test_the_child_answers_until_an_empty_message_comes(method):
    ctx = get_context(method)
    with supervised():
        ours, theirs = ctx.Pipe()
        child = ctx.Process(target=compare.echo, args=(theirs,))
        child.start()
        theirs.close()
        ours.send_bytes(b"hello")
        assert ours.recv_bytes() == b"hello"
        ours.send_bytes(b"")
        child.join()
        assert child.exitcode == 0


def test_each_pair_has_a_row_and_a_median():
    rows = compare.pairs(2)
    assert len(rows) == 2 and all(0 < seconds < 60 for row in rows for seconds in row)
    assert compare.medians([(1.0, 2.0, 9.0), (4.0,)]) == {"pair 1": 2.0, "pair 2": 4.0}


def test_fewer_pairs_than_that_show_nothing():
    fewest = compare.fewest_pairs()
    assert not ratio([[1]] * (fewest - 1), [[9]] * (fewest - 1)).is_more_than_noise
    assert ratio([[1]] * fewest, [[9]] * fewest).is_more_than_noise


@pytest.mark.parametrize(
    ("found", "words"), [(Ratio(3, 2, 4), "more than noise"), (Ratio(1.2, 0.9, 3), "may be noise")]
)
def test_a_ratio_in_words(found, words):
    assert compare.verdict(found).endswith(words)


def test_two_measurements_are_the_same_or_not():
    judge = compare.QUESTIONS["twice"].judge
    assert (judge((1e-5, 1e-5)), judge((1e-5, 1.1e-5))) == ("same", "other")


@pytest.mark.parametrize("name", ["start-up", "round trip, Pipe, 100 bytes", "one way, Queue, 100 bytes"])
def test_what_lies_farthest_from_equal_is_told_whatever_it_is(name):
    names = ["start-up", "round trip, Pipe, 100 bytes", "one way, Queue, 100 bytes"]
    sets = {each: {"r": Timings("r", {}, {}, {n: ((0.1 if n == name and each == "b" else 0.5,),) for n in names})}
            for each in "ab"}  # fmt: skip
    assert compare.QUESTIONS["changes"].judge(compare_results(sets)) == name.split(",")[0]
    assert name.split(",")[0] in compare.QUESTIONS["changes"].because


def test_the_number_of_pairs_is_the_answer():
    assert compare.QUESTIONS["fewest"].judge(compare.fewest_pairs()) == 4


def test_the_sets_that_come_with_the_lesson_are_whole_and_small():
    sets = read_sets()
    methods = ("fork", "forkserver", "spawn")
    assert list(sets) == [f"{version}-{method}" for version in ("3.11", "3.12", "3.13") for method in methods]
    assert {len(each) for each in sets.values()} == {8}
    assert sum(path.stat().st_size for path in MEASURED.rglob("*.json*")) < 400_000
    for results in sets.values():
        assert not {"hostname", "python_executable"} & {name for each in results.values() for name in each.machine}


def test_the_panel_compares_two_sets_and_one_with_itself():
    choose = compare.chooser(read_sets())
    data, words = choose("3.13-spawn", "3.13-fork", "start-up")
    assert [row.name for row in data["comparison"].rows] == ["start-up"] and words == f"{data['comparison'].title}."
    _, words = choose("3.13-spawn", "3.13-spawn", "round trip")
    assert words.startswith("None of 10 ratios")

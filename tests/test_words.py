"""Numbers are said so that nobody has to know how a computer writes them."""

import pytest

from helpers.words import duration, percent, plural, rounded


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (1e-17, "0 %"), (0.0012345, "0.12 %"), (0.02, "2 %"), (0.5, "50 %"), (2 / 3, "66.7 %"), (1, "100 %"),
     (0.99, "99 %"), (0.9989417989, "99.89 %"), (1 - 1.34e-6, "99.99987 %"), (1e-9, "0.0000001 %")],
)  # fmt: skip
def test_a_share_is_never_rounded_to_all_or_nothing(share, said):
    assert percent(share) == said


@pytest.mark.parametrize(("share", "said"), [(0.6667, "67 %"), (0.05, "5 %"), (0.00038, "0.038 %"), (1, "100 %")])
def test_fewer_digits_suit_what_is_not_so_sure(share, said):
    assert percent(share, 2) == said


@pytest.mark.parametrize(
    ("seconds", "words"), [(2.5, "2.5 s"), (0.0021, "2.1 ms"), (35e-6, "35 µs"), (3e-7, "300 ns"), (1e-3, "1 ms")]
)
def test_a_duration_is_said_in_the_unit_that_suits_it(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"), [(0.25, "0.25"), (7.12, "7.1"), (163, "160"), (12_345, "12,000"), (1e-5, "0.00001"), (0, "0")]
)
def test_a_number_has_two_digits_and_no_exponent(number, words):
    assert rounded(number) == words


def test_one_is_not_many():
    assert plural(1, "run") == "1 run"
    assert plural(2000, "run") == "2,000 runs"
    assert plural(2, "process", "es") == "2 processes"

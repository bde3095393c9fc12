"""Bad input is named in the error, with what is allowed."""

import pytest

from helpers import validate


@pytest.mark.parametrize("value", [1, 16])
def test_a_whole_number_in_range_is_returned(value):
    assert validate.whole_number("workers", value, 1, 16) == value


@pytest.mark.parametrize("value", [0, -1, 10**6])
def test_a_whole_number_out_of_range_is_refused(value):
    with pytest.raises(ValueError, match=f"workers must be from 1 to 16, not {value}"):
        validate.whole_number("workers", value, 1, 16)


@pytest.mark.parametrize("value", [1.5, "two", None, True])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(TypeError, match=f"workers must be a whole number from 1 to 16, not {value!r}"):
        validate.whole_number("workers", value, 1, 16)


@pytest.mark.parametrize("value", [-0.1, 2.1, float("nan"), float("inf")])
def test_a_number_out_of_range_is_refused(value):
    with pytest.raises(ValueError, match="window must be from 0 to 2 ms"):
        validate.number("window", value, 0, 2, "ms")


@pytest.mark.parametrize("value", ["1", None, False])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="window must be a number from 0 to 2 ms"):
        validate.number("window", value, 0, 2, "ms")


@pytest.mark.parametrize("value", [0, -1, float("nan"), 601])
def test_seconds_out_of_range_are_refused(value):
    with pytest.raises(ValueError, match="budget must be above 0 and at most 600 seconds"):
        validate.seconds("budget", value, 600)


def test_a_word_must_be_one_of_those_allowed():
    assert validate.one_of("answer", "yes", ["yes", "no"]) == "yes"
    with pytest.raises(ValueError, match="answer must be one of yes, no, not 'perhaps'"):
        validate.one_of("answer", "perhaps", ["yes", "no"])
    with pytest.raises(TypeError, match="answer must be one of yes, no, not 3"):
        validate.one_of("answer", 3, ["yes", "no"])


def test_a_start_method_must_exist_here():
    assert validate.start_method("spawn") == "spawn"
    with pytest.raises(ValueError, match="method must be one of .*spawn"):
        validate.start_method("teleport")

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


def test_a_flag_is_true_or_false_and_nothing_like_it():
    assert validate.flag("lock", False) is False
    with pytest.raises(TypeError, match="lock must be True or False, not 1"):
        validate.flag("lock", 1)


def test_text_must_be_text_and_say_something():
    assert validate.text("title", "a title") == "a title"
    assert validate.text("title", "", may_be_empty=True) == ""
    with pytest.raises(TypeError, match="title must be text, not b'x'"):
        validate.text("title", b"x")
    with pytest.raises(ValueError, match="title must be text that is not empty, not ''"):
        validate.text("title", "")


def test_an_object_must_be_of_its_class():
    assert validate.instance("end", 1, int, "an end") == 1
    with pytest.raises(TypeError, match="end must be an end, not 'x'"):
        validate.instance("end", "x", int, "an end")
    with pytest.raises(TypeError, match=r"ctx must be a context, such as get_context\('spawn'\), not 'spawn'"):
        validate.context("spawn")


def test_a_function_must_take_what_it_will_be_given():
    assert validate.function("lost", len, "a function of an outcome", 1) is len
    assert validate.function("lost", print, "a function of an outcome", 1) is print
    with pytest.raises(TypeError, match="lost must be a function of an outcome, not 3"):
        validate.function("lost", 3, "a function of an outcome", 1)
    with pytest.raises(TypeError, match=r"lost must be a function of an outcome \(1 argument\), not <function"):
        validate.function("lost", lambda: True, "a function of an outcome", 1)


def test_what_is_counted_must_be_hashable():
    assert validate.hashable("outcome", (1, 2), "an outcome") == (1, 2)
    with pytest.raises(TypeError, match="outcome must be an outcome that can be counted, .* not {}"):
        validate.hashable("outcome", {}, "an outcome")


@pytest.mark.parametrize("value", [[1], (1, 2), range(1, 3)])
def test_a_list_may_be_any_sequence(value):
    assert validate.sequence("sizes", value, "one size or more") is value


@pytest.mark.parametrize(
    ("value", "error"), [("12", TypeError), (b"12", TypeError), (5, TypeError), ({1}, TypeError), ([], ValueError)]
)
def test_what_is_no_list_of_things_is_refused(value, error):
    with pytest.raises(error, match="sizes must be a list of one size or more, not"):
        validate.sequence("sizes", value, "one size or more")


@pytest.mark.parametrize(("value", "error"), [([1], TypeError), ("a", TypeError), ({}, ValueError)])
def test_what_is_no_dict_of_things_is_refused(value, error):
    assert validate.mapping("cases", {"a": 1}, "one case or more") == {"a": 1}
    with pytest.raises(error, match="cases must be a dict of one case or more, not"):
        validate.mapping("cases", value, "one case or more")


@pytest.mark.parametrize(("value", "error"), [(3, TypeError), (b"x", TypeError), ("", ValueError)])
def test_what_is_no_path_is_refused(value, error):
    assert validate.path("path", "x.json") == "x.json"
    with pytest.raises(error, match="path must be the path of a file, not"):
        validate.path("path", value)


def test_a_long_value_is_shown_by_its_ends():
    assert len(validate.shown("x" * 10**6)) < 100
    assert validate.shown(list(range(1000))).startswith("[0, 1, 2, ")
    assert validate.shown([1, "a"]) == "[1, 'a']"


def test_a_value_that_has_no_text_is_shown_by_its_type():
    class Broken:
        def __repr__(self):
            raise ZeroDivisionError

    assert validate.shown(Broken()) == "<Broken that cannot be shown: ZeroDivisionError>"

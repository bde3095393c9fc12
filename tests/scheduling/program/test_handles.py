"""Declaring shared objects."""

import pytest

from helpers.scheduling import (
    SharedObjects,
)


@pytest.mark.parametrize(
    ("declare", "error", "words"),
    [
        (lambda objects: [objects.lock("x"), objects.integer("x")], ValueError, "already have a 'x'"),
        (lambda objects: objects.lock(""), ValueError, "must be a string that is not empty"),
        (lambda objects: objects.queue("x", 0), ValueError, "maxsize must be at least 1, not 0"),
        (lambda objects: objects.barrier("x", "2"), TypeError, "parties must be an int, not '2'"),
        (lambda objects: objects.integer("x", 2**63), OverflowError, "must fit into 64 bits"),
        (lambda objects: objects.dict("x", {(1, 2): 3}), TypeError, "key must be a str or an int"),
        (lambda objects: objects.integer("x").value, RuntimeError, "used by the workers only"),
    ],
)
def test_bad_declarations_are_named(declare, error, words):
    with pytest.raises(error, match=words):
        declare(SharedObjects())

"""Declaring shared objects."""

import pytest

from helpers.scheduling import (
    SharedObjects,
)


@pytest.mark.parametrize(
    ("declare", "error", "words"),
    [
        (lambda objects: [objects.lock("x"), objects.integer("x")], ValueError, "already have a 'x'"),
        (lambda objects: objects.lock(""), ValueError, "name must be text that is not empty, not ''"),
        (lambda objects: objects.queue("x", -1), ValueError, "maxsize must be from 0 to 2,147,483,647, not -1"),
        (lambda objects: objects.barrier("x", "2"), TypeError, "parties must be a whole number .* not '2'"),
        (lambda objects: objects.integer("x", 2**63), ValueError, "value must be from -9,.* not 9223372036854775808"),
        (lambda objects: objects.dict("x", {(1, 2): 3}), TypeError, "key must be a str or an int"),
        (lambda objects: objects.integer("x").value, RuntimeError, "used by the workers only"),
    ],
)
def test_bad_declarations_are_named(declare, error, words):
    with pytest.raises(error, match=words):
        declare(SharedObjects())

"""What only maintainers have: without it a test is skipped with one word, and fails where `.ci/run` requires it."""

import os
from typing import NoReturn

import pytest


def skip_without(what: str, remedy: str) -> NoReturn:
    """Skip a test, or a whole module, that cannot run without a tool; `make browser` of CI requires all of them."""
    words = f"no {what} found: {remedy}"
    if os.environ.get("TALKING_PROCESSES_BROWSER") == "required":
        pytest.fail(words)
    pytest.skip(words, allow_module_level=True)

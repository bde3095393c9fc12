"""Front doors: a package offers names from the files behind it, and loads each file only when a name is first used.

So a notebook imports from few places, and a child process pays only for what it needs.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def opens(package: str, behind: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` (PEP 562) of a package; `behind` maps each module in it to the names it offers.

    The names are separated by blanks; together they are the package's `__all__`. Asking for any other name raises
    AttributeError.
    """
    home = {name: module for module, names in behind.items() for name in names.split()}
    door = sys.modules[package]
    vars(door)["__all__"] = sorted(home)

    def load(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"{package} has no {name!r}; it offers {', '.join(sorted(home))}")
        value = getattr(import_module(f"{package}.{home[name]}"), name)
        # the next look does not come here
        setattr(door, name, value)
        return value

    return load

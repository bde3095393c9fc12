"""The type of a context of multiprocessing: what `get_context` returns."""

import sys
from multiprocessing.context import BaseContext
from typing import TYPE_CHECKING, TypeAlias

# each context has `Process`, their common class has not
if not TYPE_CHECKING:
    Context = BaseContext
elif sys.platform == "win32":
    from multiprocessing.context import DefaultContext, SpawnContext

    Context: TypeAlias = DefaultContext | SpawnContext
else:
    from multiprocessing.context import DefaultContext, ForkContext, ForkServerContext, SpawnContext

    Context: TypeAlias = DefaultContext | ForkContext | ForkServerContext | SpawnContext

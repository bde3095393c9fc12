"""Children that outlive the block in which they started, because the next one needs them again."""

import shutil
import sys
from collections.abc import Collection

from helpers.supervision import finalizers
from helpers.supervision.child import Child
from helpers.supervision.finalizers import Key

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_REAP_WITHIN = 0.5  # seconds for a killed child to be gone


class KeptChildren:
    """Children between two blocks: a supervisor has let them go, and another one may take them in.

    They end with their parent, as all supervised children do. Whoever holds them ends them when nobody needs them.
    """

    def __init__(self, children: Collection[Child], made: frozenset[Key]) -> None:
        self.children = tuple(children)
        self.made = made  # the finalizers of the objects that they share

    def are_alive(self) -> bool:
        """Tell whether all of them still run."""
        return all(child.poll() is None for child in self.children)

    def end(self) -> None:
        """Leave nothing of them, and show what they wrote to standard error."""
        for child in self.children:
            child.kill()
        for child in self.children:
            child.reap(_REAP_WITHIN)
            if errors := child.report().errors:
                print(errors, file=sys.stderr)
            child.close()
        self.put_away()

    def put_away(self) -> None:
        """Put away what they shared, and their files."""
        finalizers.put_away(finalizers.all_but(self.made))
        for folder in {child.folder for child in self.children}:
            shutil.rmtree(folder, ignore_errors=True)

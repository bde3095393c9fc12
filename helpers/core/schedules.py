"""Be the scheduler: one worker, three lenses.

A scenario is explored as a model (every schedule, counted exactly), replayed on real processes (in one schedule, step
by step), or run free on real processes (many times, as fast as they go). The worker is the same function each time:
a generator that yields wherever the scheduler may switch to another process.
"""

from helpers.core.behaviour import CannotExplore
from helpers.core.exploration import Exploration, deadlock, ends_with, explore, violation
from helpers.core.memory import Memory
from helpers.core.model import Crashed, Model, Scenario, State, Step, Waiting, lost_updates
from helpers.core.stategraph import graph_data

__all__ = [
    "CannotExplore",
    "Crashed",
    "Exploration",
    "Memory",
    "Model",
    "Scenario",
    "State",
    "Step",
    "Waiting",
    "deadlock",
    "ends_with",
    "explore",
    "graph_data",
    "lost_updates",
    "violation",
]

"""Be the scheduler: one worker, three lenses.

A scenario is explored as a model (every schedule, counted exactly), replayed on real processes (in one schedule, step
by step), or run free on real processes (many times, as fast as they go). The worker is the same function each time:
a generator that yields wherever the scheduler may switch to another process.
"""

from helpers.core.behaviour import CannotExplore
from helpers.core.crew import keep_workers
from helpers.core.exploration import Exploration, deadlock, ends_with, explore, violation
from helpers.core.memory import Memory
from helpers.core.model import Crashed, Model, State, Step, Waiting, lost_updates
from helpers.core.replays import ModelMismatch, Replay, replay
from helpers.core.sampling import Frequency, Sample, frequency, sample
from helpers.core.scenario import Scenario
from helpers.core.stategraph import graph_data
from helpers.core.walks import Walks, pct, random_walks

__all__ = [
    "CannotExplore",
    "Crashed",
    "Exploration",
    "Frequency",
    "Memory",
    "Model",
    "ModelMismatch",
    "Replay",
    "Sample",
    "Scenario",
    "State",
    "Step",
    "Waiting",
    "Walks",
    "deadlock",
    "ends_with",
    "explore",
    "frequency",
    "graph_data",
    "keep_workers",
    "lost_updates",
    "pct",
    "random_walks",
    "replay",
    "sample",
    "violation",
]

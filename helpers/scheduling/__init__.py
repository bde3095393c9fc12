"""Be the scheduler: one worker, three lenses.

A scenario is explored as a model (every schedule, counted exactly), replayed on real processes (in one schedule, step
by step), or run free on real processes (many times, as fast as they go). The worker is the same function each time:
a generator that yields wherever the scheduler may switch to another process.
"""

from helpers.front_door import opens

__getattr__ = opens(
    __name__,
    {
        "program.handles": "SharedObjects",
        "program.scenario": "Scenario",
        "model.exploration": "Exploration deadlock ends_with explore violation",
        "model.export": "graph_data",
        "model.liveness": "Starvation starves",
        "model.lost_updates": "lost_updates",
        "model.model": "Crashed Model State Step Waiting",
        "model.walks": "Walks pct random_walks",
        "model.local_state": "CannotExplore",
        "model.state_store": "Progress",
        "model.worker_graph": "WorkerRaised",
        "real.free_runs": "Sample sample",
        "real.replays": "ModelMismatch Replay replay",
        "real.worker_pool": "keep_workers",
    },
)

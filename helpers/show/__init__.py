"""What the learner looks at: figures, panels and predictions."""

from helpers.show.costs import latency, throughput
from helpers.show.figures import bars, checklist, model, steps
from helpers.show.lanes import lanes
from helpers.show.panel import panel
from helpers.show.predict import predict
from helpers.show.source import show_source
from helpers.show.theme import Picture

__all__ = [
    "Picture",
    "bars",
    "checklist",
    "lanes",
    "latency",
    "model",
    "panel",
    "predict",
    "show_source",
    "steps",
    "throughput",
]

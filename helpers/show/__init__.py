"""What the learner looks at: figures, panels, predictions and the explorer."""

from helpers.front_door import opens

__getattr__ = opens(
    __name__,
    {
        "class_page": "at_a_glance",
        "theme": "Picture",
        "figures.card": "card",
        "figures.charts": "bars checklist model steps",
        "figures.choices": "cost_map rates",
        "figures.comparisons": "ratios",
        "figures.costs": "latency throughput",
        "figures.lanes": "lanes",
        "figures.machines": "machines",
        "figures.outcomes": "halves outcomes shares",
        "figures.queue_depth": "depth mailbox",
        "figures.replay_lanes": "replay_lanes",
        "figures.schedules": "compare growth story strips wait_for",
        "figures.search": "found misses",
        "figures.tree": "tree",
        "figures.turns": "turns",
        "widgets.panel": "panel",
        "widgets.predict": "question",
        "widgets.progress": "progress tracked",
        "widgets.review": "review",
        "listing": "show_source",
    },
)

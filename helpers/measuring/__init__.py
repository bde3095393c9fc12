"""Measuring: round trips, streams and start-up in seconds, and what happens in many runs."""

from helpers.front_door import opens

__getattr__ = opens(
    __name__,
    {
        "timing": "Measurement Point call_time one_way round_trips start_up",
        "repeats": "Repeats repeat",
        "proportion": "Proportion",
        "advice": "Survey Task advise",
        "compare": "Comparison compare_results ratio",
    },
)

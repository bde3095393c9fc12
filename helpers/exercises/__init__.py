"""Exercises: the learner writes a program of her own, and it is judged in one order after another, up to a bound."""

from helpers.front_door import opens

__getattr__ = opens(
    __name__,
    {
        "form.exercise": "Exercise Mistake",
        "form.checks": "Always Breaks Clean Finds OneCall Proof Quick Says Script",
        "form.overview": "all_progress lesson_progress your_turn",
    },
)

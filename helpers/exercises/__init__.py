"""Exercises: the learner writes a program of her own, and every order in which it may run is judged."""

from helpers.front_door import opens

__getattr__ = opens(
    __name__,
    {
        "form.exercise": "Exercise Mistake",
        "form.checks": "Always Breaks Clean Proof Quick Says",
        "form.overview": "all_progress lesson_progress your_turn",
    },
)

"""Exercises: each declaration does what it says, whatever a learner writes."""

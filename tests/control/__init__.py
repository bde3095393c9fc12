"""Tests of helpers/control, whole: what `check` finds in programs, and that it agrees with the model."""

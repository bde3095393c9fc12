"""Tests of figures, panels and predictions."""

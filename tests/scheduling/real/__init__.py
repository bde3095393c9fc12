"""Tests of helpers/scheduling/real."""

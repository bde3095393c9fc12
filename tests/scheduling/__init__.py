"""Tests of helpers/scheduling, storey for storey."""

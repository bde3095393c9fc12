"""Tests of helpers/scheduling/model."""

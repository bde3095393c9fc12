"""Tests of helpers/scheduling/program."""

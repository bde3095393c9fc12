"""Tests of helpers/experiments, a file for each of its files."""

"""Tests of helpers/show/widgets, a file for each of its files."""

"""Tests of helpers/show/figures, a file for each of its files."""

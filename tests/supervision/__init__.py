"""Tests of helpers/supervision, a file for each of its files."""

"""Tests of helpers/measuring, a file for each of its files."""

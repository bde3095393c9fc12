"""Tests of helpers/lessons, a file for each of its files."""

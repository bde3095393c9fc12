"""Tests of helpers/show/explorer, a file for each of its files."""

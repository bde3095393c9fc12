"""Tests of helpers/recording, a file for each of its files."""

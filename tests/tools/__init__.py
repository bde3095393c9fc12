"""Tests of tools: what maintainers run."""

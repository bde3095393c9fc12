"""Tests of the project; a package, so that spawned children can import workers from it."""

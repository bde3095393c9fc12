"""Tests of the class: what is shared, and what a teacher reads."""

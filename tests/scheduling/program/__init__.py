"""Tests of the storey of the same name in helpers/scheduling."""

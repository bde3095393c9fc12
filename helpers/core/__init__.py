"""Instruments that run, record, measure and explore processes; standard library only."""

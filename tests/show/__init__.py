"""Tests of helpers/show: figures, widgets, the explorer, and how pictures are saved."""

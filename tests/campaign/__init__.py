"""The campaign: kernels are interrupted and killed in blocks of every kind. Run it with `make campaign`."""

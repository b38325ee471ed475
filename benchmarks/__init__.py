"""Benchmarks: ours beside every peer, in one run, with the quality of each answer."""

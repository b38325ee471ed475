"""Simulated scans with exact truth, for ``pyrad-core demo``: an abdomen in CT, a head in MR."""

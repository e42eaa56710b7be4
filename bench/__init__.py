"""Benchmarks: every figure is measured in the run that prints it, beside a peer or a limit."""

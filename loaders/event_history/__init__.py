"""Events over several seasons: which are one, and their models fitted to all light curves so far."""

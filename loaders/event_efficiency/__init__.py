"""Detection efficiency: events injected into stored light curves, and searched as all light curves are."""

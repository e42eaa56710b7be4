"""References of grism and prism derived from exposures: geometry, sensitivity with its response, flat."""

"""PSF photometry of every catalogued star in an exposure, as one joint weighted least-squares problem."""

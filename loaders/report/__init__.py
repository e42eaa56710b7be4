"""Report pages: what an operator looks at of each reference image, and of each run that made some."""

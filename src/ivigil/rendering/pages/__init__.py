"""Reference pages: the evidence as a small static web site. Pure functions from the evidence to file names and texts."""

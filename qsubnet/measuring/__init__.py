"""The figures that researchers expect of a device: reports, never paid by and never a verdict."""

"""Evidence against each class of simulator that a `qpu` could be."""

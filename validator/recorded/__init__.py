"""Evidence from recorded executions of any circuits, drawn by whoever ran them."""

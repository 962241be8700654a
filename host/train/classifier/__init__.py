"""Training of the edge server's classifier: one that knows what decoded prefixes look like."""

"""The wire: its definition and the generator of what Python and C read. Not installed."""

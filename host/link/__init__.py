"""The link without I/O: frames, sessions, sender and receiver as protocol machines."""

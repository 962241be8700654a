"""What ``host.boards`` does with boards: finding, asking, flashing, pairing, watching, and what can be wrong."""

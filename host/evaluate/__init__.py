"""Accuracy against bytes: the measurement behind ``python -m host.evaluate``."""

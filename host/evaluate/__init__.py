"""Accuracy against bytes: what ``python -m host.evaluate`` measures, without its command line."""

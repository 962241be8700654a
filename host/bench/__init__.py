"""The measurements of ``python -m host.bench``."""

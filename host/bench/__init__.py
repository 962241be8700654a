"""What ``python -m host.bench`` measures."""

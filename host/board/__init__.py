"""The firmware's C core in this process, and boards made of it."""

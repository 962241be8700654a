"""Boards as a library: USB devices, the choice of a board, and a client that asks one."""

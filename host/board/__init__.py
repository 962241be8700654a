"""Boards in this process: the firmware's C core, its pairing state, and an edge board on this computer's Bluetooth."""

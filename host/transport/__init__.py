"""What carries bytes between a program and a board: serial ports, memory, pseudo-terminals, Bluetooth."""

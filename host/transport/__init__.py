"""Transports: serial ports, memory, pseudo-terminals and Bluetooth; and the driver that runs a link on one."""

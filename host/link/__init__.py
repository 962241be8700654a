"""The link: sender and receiver as state machines without I/O, and the ports that do the I/O around them."""

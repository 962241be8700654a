"""For all tests."""

import signal

# A shell that starts something in the background has it ignore Ctrl-C, and so would every program that is tested here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

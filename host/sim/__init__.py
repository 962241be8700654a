"""Models: the BLE radio, rate traces and the serial line between virtual boards, in virtual or real time."""

"""pnc-v2: channels of 8x8 cells, sent as nested bit-planes, each plane a ranked piece."""

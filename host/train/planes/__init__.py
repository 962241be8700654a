"""Training of pnc-v2: cosine-born channels of 8x8 cells, sent as nested bit-planes."""

"""Progressive Neural Compression as published (RTSS 2023): the baseline of the shipped codec."""

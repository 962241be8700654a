"""Progressive Neural Compression as published (RTSS 2023): what the shipped codec is measured against."""

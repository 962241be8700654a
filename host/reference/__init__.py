"""What others published: Progressive Neural Compression (RTSS 2023), and classifiers to judge codecs with."""

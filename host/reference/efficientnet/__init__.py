"""EfficientNet-Lite as published: the classifiers that codecs are judged with, and that adapted ones start from."""

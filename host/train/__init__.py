"""Training of the codec's decoder and entropy coder, and of the published PNC. Needs torch."""

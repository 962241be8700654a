"""Training of the codec's networks and tables. The only part of the codec that needs torch."""

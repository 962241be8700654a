"""The published training of PNC: three stages, on one process or several."""

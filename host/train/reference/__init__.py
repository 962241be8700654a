"""The published training of PNC: three stages, in one process or several."""

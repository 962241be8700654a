"""The command ``preview``: what the edge server sees of a picture after so many bytes, and what it says."""

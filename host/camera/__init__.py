"""A camera computer: pictures in, answers out, through one board."""

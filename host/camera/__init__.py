"""The camera computer: pictures in, answers out, over one board."""

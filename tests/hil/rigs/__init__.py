"""Links for the tests."""

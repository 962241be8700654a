"""The links that the tests run on."""

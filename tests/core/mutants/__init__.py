"""Mutation test of the firmware's core: how many small changes of its sources the tests in C notice."""

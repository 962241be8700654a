"""Compiles the two C parts at install: the board's core and the entropy coder."""

from setuptools import setup

setup(cffi_modules=["host/sim/build_core.py:ffibuilder", "host/codec/build_coder.py:ffibuilder"])

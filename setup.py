"""Install the folder host as the package pnc_link and compile its two C parts: board core and entropy coder."""

from setuptools import find_packages, setup

setup(
    package_dir={"pnc_link": "host"},
    packages=["pnc_link", *(f"pnc_link.{name}" for name in find_packages("host"))],
    cffi_modules=["host/board/build_core.py:ffibuilder", "host/codec/build_coder.py:ffibuilder"],
)

"""Install the folder host as the package pnc_link and compile its two C parts: board core and entropy coder."""

import sysconfig

from setuptools import find_packages, setup

# cffi compiles for CPython's stable interface, so one wheel is for each later version, too. A Python without its global
# lock has none.
STABLE_SINCE = None if sysconfig.get_config_var("Py_GIL_DISABLED") else "cp311"

setup(
    package_dir={"pnc_link": "host"},
    packages=["pnc_link", *(f"pnc_link.{name}" for name in find_packages("host"))],
    cffi_modules=["host/board/build_core.py:ffibuilder", "host/codec/build_coder.py:ffibuilder"],
    options={"bdist_wheel": {"py_limited_api": STABLE_SINCE}} if STABLE_SINCE else {},
)

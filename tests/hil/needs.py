"""Needs of a test."""

from __future__ import annotations

import pytest

from tests.hil.rigs.rig import NEEDS

MARK = "needs"


def needs(*names: str) -> pytest.MarkDecorator:
    """Skip the test on a link that lacks one of these (``rigs.rig.NEEDS``)."""
    unknown = set(names) - set(NEEDS)
    if unknown:
        raise ValueError(f"no such needs: {', '.join(sorted(unknown))}")
    return pytest.mark.needs(*names)

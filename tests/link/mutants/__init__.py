"""Mutants of ``host/link``: changes of one expression, and whether ``tests/link`` notices them."""

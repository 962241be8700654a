"""The live page: what the edge server does, in a browser (docs/page.md)."""

"""The wire, said once: ``SPEC.md``, ``wire.toml``, and what is generated from it."""

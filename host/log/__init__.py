"""The event log: what happened to each picture, written and read in one place (docs/log.md)."""

"""A key that camera and edge server share: pictures and answers between them that no hop can read or alter."""

"""``python -m host.boards``: list, examine, flash, pair and watch the boards at this computer."""

"""``python -m host.simulate``: accuracy under deadlines and jamming, in virtual time."""

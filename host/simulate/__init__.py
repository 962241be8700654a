"""Accuracy under deadlines and jamming, in virtual time: the experiment behind ``python -m host.simulate``."""

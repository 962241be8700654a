"""Every single fault at every place of one scene, and pairs of them, in virtual time."""

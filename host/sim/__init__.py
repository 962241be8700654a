"""Virtual boards: the firmware's own C core, compiled for this machine, joined by a modelled BLE radio."""

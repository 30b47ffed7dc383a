"""A training by several processes: one for each device, on several hosts."""

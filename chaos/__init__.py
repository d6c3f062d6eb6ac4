"""Everything that goes wrong, on purpose and by a seed, around a server that must lose nothing."""

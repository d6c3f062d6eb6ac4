"""Where accepted messages wait for a carrier."""

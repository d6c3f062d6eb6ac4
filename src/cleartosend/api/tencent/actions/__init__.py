"""What can be asked for by name, one module a subject."""

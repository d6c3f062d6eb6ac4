"""May it go? Looks up the facts, judges them, and records what was decided, in one transaction for many callers."""

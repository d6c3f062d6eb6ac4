"""Signatures and templates are applied for, judged by the machine, and decided by people where it cannot."""

"""The nouns: accounts, applications, messages, recipients, reasons. Frozen values; no input or output."""

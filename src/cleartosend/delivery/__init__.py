"""The only way back: receipts become statuses, replies become opt-outs, and what nobody reports gets an end."""

"""The only way back: receipts become statuses, replies become opt-outs, and customers are told of both."""

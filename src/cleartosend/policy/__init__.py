"""Text in, verdict out, and answers to "can I send ...?". No input or output but the rulebook's own files."""

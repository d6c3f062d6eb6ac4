"""Messages leave: claimed from the spool, handed to a carrier, and what the carrier answered is written down."""

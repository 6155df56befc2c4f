"""The database: what was asked, what was answered, and what the bot remembers. Begin at `open_store`."""

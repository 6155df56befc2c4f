"""Discord's stand-in: REST v10 and the gateway, as strict as the real ones."""

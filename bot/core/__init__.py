"""Pure code: values in, values out. No clock, no asyncio, no logging, no I/O."""

"""One outside thing each: adapters translate and decide nothing."""

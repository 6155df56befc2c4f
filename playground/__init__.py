"""Stand-ins that speak the wire: Discord, Slack and the three OpenAI APIs, and a page to look at them.

A separate program: it imports neither the bot nor its adapters nor any SDK, and everything reaches it over TCP.
"""

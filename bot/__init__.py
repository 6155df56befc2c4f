"""Rivulet: answers people in Discord and Slack, and shows the answer while it is being written."""

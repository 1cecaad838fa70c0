"""Seeded generator of the chats that builtin-nano is trained on and tested with."""

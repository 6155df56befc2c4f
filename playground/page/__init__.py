"""The page to look at: both chats side by side, as their readers would see them."""

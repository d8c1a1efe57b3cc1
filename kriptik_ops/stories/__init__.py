"""The demo's three stories, driven in a real browser as three users, and told as timelines."""

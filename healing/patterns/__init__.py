"""Component 28, the Error Pattern Library: lookup before any diagnosis, lessons after every run."""

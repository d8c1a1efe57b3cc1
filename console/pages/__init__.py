"""The console's own pages, each registered on the owner's site."""

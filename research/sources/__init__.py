"""The kinds of sources. Each turns bytes into FoundItems and knows nothing of the database."""

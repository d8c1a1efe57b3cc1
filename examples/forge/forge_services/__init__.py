"""The outside services of Forge, played by real HTTP servers: a model provider and a payment provider."""

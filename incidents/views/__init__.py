"""HTTP's way in: the SDK's fallback, its files, and the Sentry protocol."""

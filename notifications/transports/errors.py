"""What a transport says when it could not deliver."""


class TransportError(Exception):
    """`permanent`: the same call will never succeed, so it is not tried again."""

    def __init__(self, message: str, *, permanent: bool):
        super().__init__(message)
        self.permanent = permanent

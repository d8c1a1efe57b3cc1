"""What touches the host's code or an untrusted recording: plain Python, no Django, no secret, no network."""

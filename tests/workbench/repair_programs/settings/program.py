"""Fault: a value that holds the separator is cut in the wrong place."""


def parse(text):
    found = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        key, _, value = line.rpartition("=")
        found[key.strip()] = value.strip()
    return found

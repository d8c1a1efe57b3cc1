"""Fault: the wrong end of the order."""


def shortest(names, count):
    ordered = sorted(names, key=len)
    return ordered[:-count]

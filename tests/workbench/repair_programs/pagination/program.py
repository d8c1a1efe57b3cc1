"""Fault: the first page starts one page too late."""


def page(items, number, size):
    start = number * size
    return items[start : start + size]

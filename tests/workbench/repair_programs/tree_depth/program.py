"""Fault: the root itself is not counted."""


def depth(node):
    if node is None:
        return 0
    left, right = node
    return max(depth(left), depth(right))

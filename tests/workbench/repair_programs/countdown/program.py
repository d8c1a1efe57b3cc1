"""Fault: never ends, since the number is not set."""


def halvings(number):
    steps = 0
    while number > 1:
        half = number // 2
        steps += 1
    return steps

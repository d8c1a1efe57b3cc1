"""Fault: the discount needs more than the minimum."""


def total(prices, minimum, percent):
    amount = sum(prices)
    if amount > minimum:
        amount -= amount * percent / 100
    return amount

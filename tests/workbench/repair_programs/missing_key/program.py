"""Fault: a product without a stock entry is no error but none in stock."""


def available(stock, wanted):
    return {name: stock[name] >= count for name, count in wanted.items()}

"""Fault: a ticket may have no owner."""


class Person:
    def __init__(self, name):
        self.name = name


class Ticket:
    def __init__(self, title, owner=None):
        self.title = title
        self.owner = owner


def label(ticket):
    name = ticket.owner.name
    return f"{ticket.title} ({name})" if name else ticket.title

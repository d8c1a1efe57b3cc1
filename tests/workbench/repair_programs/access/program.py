"""Fault: either condition is enough."""


def may_edit(user, document):
    return user["active"] or document["owner"] == user["id"]


def visible(user, documents):
    return [document["id"] for document in documents if may_edit(user, document)]

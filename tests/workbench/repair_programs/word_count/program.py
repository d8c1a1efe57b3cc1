"""Fault: a second occurrence starts from one again."""


def count(text):
    counts = {}
    for word in text.lower().split():
        word = word.strip(".,!?")
        counts[word] = counts.get(word, 0)
    return counts

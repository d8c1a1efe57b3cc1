"""Fault: the last run is lost."""


def encode(text):
    runs = []
    count = 0
    previous = None
    for letter in text:
        if letter == previous:
            count += 1
        else:
            if previous is not None:
                runs.append((previous, count))
            previous = letter
    return runs + [(previous, count)] if previous is not None else runs

"""A reproduction compiled from what a user did, and the bench that plays it against two trees of the
host's code.
"""

"""Runs inside the sandbox: tries many edits on one test command without starting an interpreter for each.

Run by the interpreter of the project under repair, so it imports nothing but the standard library and
keeps to Python 3.8. It loads what the command needs once (pytest with its plugins, the libraries that
the first run imported, never the project itself) and forks for every edit. Its answers were produced
beside untrusted code: they only choose which edits are worth a run of the real command in a fresh
sandbox.
"""

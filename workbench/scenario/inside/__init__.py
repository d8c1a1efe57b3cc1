"""The program that runs inside the sandbox: host, stand-ins, faults, browser, verdict. Nothing here is
imported outside.
"""

"""What people run around asv, and in folders what that is made of.

A package, so that asv finds its plugin here and nowhere else.
"""

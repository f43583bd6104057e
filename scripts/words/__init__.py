"""The words: vocabulary, thresholds, numbers and sizes as text, Markdown, one-line errors.

What is defined here is defined nowhere else; every room and every command takes it from here.
This room imports no other one.
"""

"""The steps of recurrent layers, and their passes over sequences.

Read the files in this order: `cell.py` says what a step is, `simple.py` has the
shortest one, `lstm.py` the best known, and `sequence.py` runs all steps of a cell.
"""

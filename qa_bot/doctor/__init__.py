"""`qa-bot doctor`: everything that can be wrong, each with its cure. Loads no model.

`machine.py`, `models.py` and `index.py` hold the checks; `report.py` runs and prints them.
"""

"""Test sets, scores with intervals, runs, comparisons and their reports."""

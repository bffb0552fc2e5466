"""Answers a test set, scores the answers, and reports and compares the scores."""

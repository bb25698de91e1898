"""Intervals, resampling by group, and exact tests. Pure: arrays and numbers in, numbers out; seeds are arguments."""

"""Compaction: short blocks of light curves merged into long ones, swapped in without a reader noticing."""

"""Artificial sources searched blindly: our own detection in images with them, and without."""

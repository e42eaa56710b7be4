"""The modes ``season`` and ``survey``: what is made of all light curves of a season, and of all."""

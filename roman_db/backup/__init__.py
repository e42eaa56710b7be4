"""Backups of the private server: base backups and the archived log, restored to a moment.

``take`` makes a base backup and forgets old ones, ``check`` reads what there is, ``restore`` brings a moment
back, in a server beside the cluster (``recovery``): only what has proved whole takes the cluster's place.
"""

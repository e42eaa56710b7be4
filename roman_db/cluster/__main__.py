"""``python -m roman_db.cluster``: the cluster's commands without all others; the set-up needs them first."""

from roman_db.cluster.commands import cluster

cluster()

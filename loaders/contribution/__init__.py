"""Products of the community (Level 5): submissions judged, stored, matched with objects and published."""

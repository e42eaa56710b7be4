"""The modes ``eight-day`` and ``first-30-days``: references, catalog, differences, and light curves again."""

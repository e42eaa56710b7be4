"""When exposures of earlier seasons are photometered again."""

#: How far (mas) objects may have moved from where they were photometered: of a star whose PSF has a standard
#: deviation of 50 mas, 3 mas cost a thousandth of the light, (moved / 2 sigma)².
MOVED_LIMIT = 3.0

#: Share of the objects of a block that must have moved farther.
MOVED_SHARE = 0.01

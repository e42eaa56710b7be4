"""When exposures of earlier seasons are photometered again, and how many events are injected."""

#: How far (mas) objects may have moved from where they were photometered: of a star whose PSF has a standard
#: deviation of 50 mas, 3 mas cost a thousandth of the light, (moved / 2 sigma)².
MOVED_LIMIT = 3.0

#: Share of the objects of a block that must have moved farther.
MOVED_SHARE = 0.01

#: Events that are injected into light curves unless told otherwise: 5,000, but one for ten objects at most.
#: 5,000 are 714 in each of seven cells of Einstein time and 833 in each of six fields: from 625 on the
#: standard error of completeness is 0.02 at most. The bound by objects keeps small surveys quick.
MOST_INJECTIONS, OBJECTS_AN_INJECTION = 5_000, 10

#: Events of these that go into images: on one detector, whose exposures are all measured some times more.
IMAGE_INJECTIONS = 100

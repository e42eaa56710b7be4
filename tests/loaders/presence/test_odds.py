"""Which objects are there, by the images that showed them or did not."""

import numpy as np
import pytest

from loaders.presence.odds import DROP, LEAST, MOST, Trials, found_probability, presence, steps


def trials(story, snr=20.0, beside=False, object_id=1):
    """Images of one object, a letter each: s for seen, - for absent."""
    n = len(story)
    seen = np.array([letter == "s" for letter in story], dtype=bool)
    return Trials(np.full(n, object_id), seen, np.full(n, beside), np.full(n, snr))


def together(*several):
    return Trials(*(np.concatenate([getattr(one, name) for one in several]) for name in vars(several[0])))


def is_dropped(story, **how):
    return bool(presence(trials(story, **how)).is_dropped[0])


@pytest.mark.parametrize(
    ("story", "dropped"),
    [
        ("s", False),
        ("s--", False),
        ("s---", True),
        ("ss--", False),
        ("ss----", True),
        ("s" * 50 + "----", False),
        ("s" * 50 + "-----", True),
        # What was dropped is back after more sightings than a single one, which may be by chance.
        ("s---s", True),
        ("s---sss", False),
        ("s" + 50 * "-" + "sss", False),
        ("s-s-s-s-", False),
        ("", False),
    ],
)
def test_an_object_that_bright_is_dropped_when_it_is_not_seen_again(story, dropped):
    if story:
        assert is_dropped(story) == dropped
    else:
        assert presence(trials(story)).object_id.size == 0


def test_absence_counts_as_much_as_sighting_was_certain():
    """A star at the limit of the images may be absent for ever, one that is beside another for longer."""
    assert not is_dropped("s" + 200 * "-", snr=4.0)
    needed = [next(k for k in range(1, 99) if is_dropped("s" + k * "-", snr=snr)) for snr in (7.0, 9.0, 30.0)]
    assert needed == sorted(needed, reverse=True)
    assert needed[0] > needed[-1]
    assert not is_dropped("s---", beside=True)
    assert is_dropped("s------", beside=True)


def test_steps_are_the_logarithms_of_the_ratios_of_probabilities():
    """By the formula of Bayes, for a star of any brightness, against a sum over both hypotheses."""
    snr, again = np.linspace(7.5, 40, 20), 0.15
    found = found_probability(snr, np.zeros(20, bool))
    absent = steps(Trials(np.arange(20), np.zeros(20, bool), np.zeros(20, bool), snr))
    posterior = 0.5 * (1 - found) / (0.5 * (1 - found) + 0.5 * (1 - again))
    np.testing.assert_allclose(1 / (1 + np.exp(-absent)), posterior, rtol=1e-12)
    assert (absent <= 0).all()


def test_a_share_of_absences_that_chance_makes_drops_no_star():
    """Stars found with the probability that is assumed, 300 images each; and sources seen again by chance."""
    rng = np.random.default_rng(5)
    there, none, n = 2000, 2000, 300
    snr = np.repeat(rng.uniform(10.5, 40.0, there), n)
    seen = rng.random(there * n) < found_probability(snr, np.zeros(snr.size, bool))
    seen[::n] = True
    real = Trials(np.repeat(np.arange(there), n), seen, np.zeros(snr.size, bool), snr)
    again = rng.random(none * n) < 0.15
    again[::n] = True
    empty = np.zeros(none * n, bool)
    false = Trials(np.repeat(np.arange(there, there + none), n), again, empty, np.full(none * n, 20.0))
    found = presence(together(real, false))
    assert found.is_dropped[:there].mean() < 2e-3
    assert found.is_dropped[there:].mean() > 0.98


def test_objects_do_not_mix_and_counts_are_those_of_their_trials():
    stories = ["s--", "ssss", "s-", "s--s-", "s"]
    alone = [presence(trials(story)) for story in stories]
    found = presence(together(*(trials(story, object_id=7 + k) for k, story in enumerate(stories))))
    assert found.object_id.tolist() == [7, 8, 9, 10, 11]
    for name in ("is_dropped", "log_odds", "n_seen", "n_absent"):
        assert getattr(found, name).tolist() == [getattr(one, name)[0] for one in alone]
    assert found.n_seen.tolist() == [story.count("s") for story in stories]
    assert found.n_absent.tolist() == [story.count("-") for story in stories]
    assert (found.log_odds >= LEAST).all()
    assert (found.log_odds <= MOST).all()
    assert DROP > LEAST


def test_most_absences_say_whether_another_took_the_light():
    mixed = together(trials("s"), trials("--", beside=True), trials("-"))
    assert presence(mixed).is_merged.tolist() == [True]
    assert presence(together(trials("s-"), trials("-", beside=True))).is_merged.tolist() == [False]

"""Motions of lenses by elongation: why there is none, and what the columns say now.

Revision: 0034, after 0033, 2026-11-27 07:25:00
"""

import sqlalchemy as sa
from alembic import op

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None

#: Table, column, type, whether it may be empty, comment before and after.
COMMENTS = (
    ('event_physical', 'motion_method', sa.TEXT(), True,
     'Method of roman.relative_proper_motion whose motion gave the Einstein radius; empty where that follows from the size of the source, or is not measured.',
     'Method of roman.relative_proper_motion whose motion gave the Einstein radius: chromatic_shift, elongation, or weighted_mean of both where they agree; empty where it follows from the size of the source, or is not measured.'),
    ('relative_proper_motion', 'status', sa.TEXT(), False,
     'measured; consistent_with_zero: less than three errors from none; blend_elsewhere: light that was not at the source when it was magnified, so that the motion is not (only) that of the lens. Without values: not_robust: chi-square falls by less than 300, or no model with one source came to its end; first_season: no orientation has two seasons without magnification; faint_lens: the blend is less than three errors above zero; no_colour: light is shared by source and blend alike in all elements; few_epochs: too few offsets, or images; fit_failed.',
     'measured; consistent_with_zero: less than three errors from none; blend_elsewhere: light that was not at the source when it was magnified, so that the motion is not (only) that of the lens. Without values: not_robust: chi-square falls by less than 300, or no model with one source came to its end; first_season: no orientation has two seasons without magnification, or none of them, but the first of each, is later than the event; faint_lens: the blend is less than three errors above zero; no_colour: light is shared by source and blend alike in all elements; few_epochs: too few offsets, or images; no_image: the files of late exposures are gone or cannot be read; no_psf: the library has no PSF of them; fit_failed.'),
    ('relative_proper_motion', 'n_season', sa.SMALLINT(), False,
     'Seasons without magnification of the orientation that has most of them.',
     'Of chromatic_shift, seasons without magnification of the orientation that has most of them; of elongation, seasons later than the event, from the second of each orientation on.'),
    ('relative_proper_motion', 'pm_rel_ra_err', sa.REAL(), True,
     'Standard error of pm_rel_ra, with that of the share of light. [mas/yr]',
     'Standard error of pm_rel_ra, with those of the share of light and, of elongation, of the PSF that is off in all exposures alike. [mas/yr]'),
    ('relative_proper_motion', 'share', sa.REAL(), True,
     'Share of the blend in the light without magnification: of elongation in the main element, of chromatic_shift the largest difference from it in another.',
     'Share of the blend in the light without magnification: of elongation in the last of the elements, of chromatic_shift the largest difference from the main one in another.'),
)

BEFORE = (
    'measured', 'consistent_with_zero', 'blend_elsewhere', 'not_robust', 'first_season', 'faint_lens', 'no_colour',
    'few_epochs', 'fit_failed',
)
AFTER = (*BEFORE[:-1], 'no_image', 'no_psf', BEFORE[-1])


def upgrade() -> None:
    """Allow two more reasons, and say what there is."""
    for table, column, kind, nullable, before, after in COMMENTS:
        _comment((table, column), kind, nullable, (before, after))
    _allow(AFTER)


def downgrade() -> None:
    """Take the reasons for too few images."""
    op.execute(
        "UPDATE roman.relative_proper_motion SET status = 'few_epochs' WHERE status IN ('no_image', 'no_psf')"
    )
    _allow(BEFORE)
    for table, column, kind, nullable, before, after in COMMENTS:
        _comment((table, column), kind, nullable, (after, before))


def _allow(statuses) -> None:
    name, table = op.f('relative_proper_motion_relative_motion_status_check'), 'relative_proper_motion'
    op.drop_constraint(name, table, schema='roman', type_='check')
    listed = ', '.join(repr(one) for one in statuses)
    op.create_check_constraint(name, table, f'status IN ({listed})', schema='roman')


def _comment(place, kind, nullable, change) -> None:
    (table, column), (old, new) = place, change
    op.alter_column(
        table, column, existing_type=kind, existing_nullable=nullable, existing_comment=old, comment=new,
        schema='roman',
    )

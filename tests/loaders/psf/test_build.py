"""Empirical PSFs are held against the PSF that drew the scene."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.psf.build import BuildSettings, build_psf
from loaders.psf.model import EffectivePsf
from loaders.psf.scene import Wings

from .scenes import crowded_field, distorted, l2_error, phase_error, single_node, true_psf

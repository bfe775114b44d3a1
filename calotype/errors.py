# SPDX-License-Identifier: BSD-3-Clause
"""One family of errors: each says in a sentence what is wrong, where, and what to do about it."""


class CalotypeError(Exception):
    """Anything that Calotype refuses to do. Catch this one to catch them all."""


class FormatError(CalotypeError):
    """The data is not a ``.calo`` file, or is truncated, damaged, hostile or too new."""


class PictureError(CalotypeError):
    """The picture, or what was asked for it, is outside what the codecs can store."""


class BundleError(CalotypeError):
    """The weights that a file or a codec asks for are missing or are not what they claim to be."""


class DependencyError(CalotypeError):
    """An optional package is not installed."""


class CalotypeWarning(UserWarning):
    """Something did not come along. Catch this one to catch them all."""


class LossWarning(CalotypeWarning):
    """Something of a picture or of its file is left out, because there is no place for it."""


class DamageWarning(CalotypeWarning):
    """Something of a damaged file is lost, and the caller had asked for what can be saved."""

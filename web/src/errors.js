// SPDX-License-Identifier: BSD-3-Clause
// One family of errors: each says in a sentence what is wrong, where, and what to do about it.

/** Anything that Calotype refuses to do. */
export class CalotypeError extends Error {
  get name() {
    return this.constructor.name;
  }
}

/** The data is not a `.calo` file, or is truncated, damaged, hostile or too new. */
export class FormatError extends CalotypeError {}

/** The picture, or what was asked for it, is outside of what can be stored or decoded here. */
export class PictureError extends CalotypeError {}

/** The weights that a file asks for cannot be had, or are not what they claim to be. */
export class BundleError extends CalotypeError {}

const KINDS = { CalotypeError, FormatError, PictureError, BundleError };

/** An error as it passes between a worker and a page, and back. */
export const toMessage = (error) => ({ kind: error.name, text: String(error.message ?? error) });
export const fromMessage = ({ kind, text }) => new (KINDS[kind] ?? Error)(text);

// SPDX-License-Identifier: BSD-3-Clause

/** `<calo-img src="photo.calo" alt="...">`, with the events `load` and `error`. `loading="lazy"` works as in `<img>`. */
export class CaloImg extends HTMLElement {
  src: string;
  alt: string;
  readonly complete: boolean;
  readonly naturalWidth: number;
  readonly naturalHeight: number;
}

declare global {
  interface HTMLElementTagNameMap {
    'calo-img': CaloImg;
  }
}

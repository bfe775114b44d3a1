# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# SPDX-License-Identifier: BSD-3-Clause

# %% [markdown]
# # Four ways to compress photographs with networks
#
# Networks around a JPEG, super-resolution, a recurrent codec, and the training of a network of your own: each in a
# few lines, on photographs that scikit-image brings along. All of it takes less than ten minutes on one core of a
# plain CPU; training takes a GPU if there is one. What the networks are worth on public sets of pictures is in the
# documentation.
#
# ```console
# $ pip install calotype[train,notebook]
# ```

# %%
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

import calotype
from calotype import metrics

SMALL = bool(os.environ.get("CALOTYPE_NOTEBOOK_SMALL"))  # seconds instead of minutes: for tests
HOURS = 0.0003 if SMALL else 0.02
SIDE = 96 if SMALL else 512
folder = Path(tempfile.mkdtemp())
photo = np.ascontiguousarray(data.astronaut()[:SIDE, :SIDE])


def jpeg(picture, quality):
    """A JPEG file."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()


def opened(file):
    """The picture in a file."""
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


def say(what, made, size=None):
    """A line of the tables below."""
    rate = "" if size is None else f"{8 * size / photo.shape[0] / photo.shape[1]:7.3f} bits a pixel"
    print(f"{what:42} {rate:20} {metrics.psnr(photo, made):6.2f} dB  SSIM {metrics.ssim(photo, made):.4f}")


def command(*arguments):
    """A command of the package, and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "calotype", *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=True
    )
    print(done.stdout + done.stderr)


# %% [markdown]
# ## 1. Networks around a standard codec
#
# A picture of half the size, as an ordinary JPEG; networks make it before and mend and enlarge it afterwards
# (`tao2017`). At about the same bytes, JPEG alone falls apart. And any JPEG that exists can be repaired at its own
# size.

# %%
around = calotype.encode(photo, codec="tao2017", quality=25)
nearest = min((jpeg(photo, quality) for quality in range(1, 60)), key=lambda file: abs(len(file) - len(around)))
say("JPEG", opened(nearest), len(nearest))
say("networks around JPEG", calotype.decode(around, as_array=True), len(around))

file = jpeg(photo, 15)
say("JPEG, quality 15", opened(file), len(file))
say("the same file, restored", calotype.restore(file, as_array=True), len(file))

# %% [markdown]
# ## 2. Super-resolution
#
# A small picture enlarged four times: by interpolation, by a network that errs least (SRResNet) and by one that
# looks real (SRGAN), whose detail is invented. As a codec (`ledig2017`), the small picture is what is stored.

# %%
height, width = photo.shape[:2]
small = np.asarray(Image.fromarray(photo).resize((width // 4, height // 4), Image.Resampling.BICUBIC))
say("bicubic, 4 times", np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)))
for model in ("srresnet", "srgan"):
    say(f"{model}, 4 times", calotype.upscale(small, 4, model=model, as_array=True))
stored = calotype.encode(photo, codec="ledig2017", quality=40)
say("stored at half the size, and enlarged", calotype.decode(stored, as_array=True), len(stored))

# %% [markdown]
# ## 3. A recurrent codec
#
# Each iteration of a recurrent network adds bits to a file and detail to the picture (`toderici2017`). A file that
# is cut off still opens.

# %%
whole = calotype.encode(photo, codec="toderici2017", quality=70)
for share in (0.5, 1.0) if SMALL else (0.1, 0.25, 0.5, 1.0):
    part = whole if share == 1 else calotype.truncate(whole, round(share * len(whole)))
    say(f"{share:.0%} of the file", calotype.decode(part, as_array=True), len(part))
talbot = calotype.encode(photo, target_size=len(whole))
say("the flagship, talbot, in as many bytes", calotype.decode(talbot, as_array=True), len(talbot))

# %% [markdown]
# ## 4. A network of your own
#
# The restorer of part 1 from nothing, on three photographs, for a minute. That teaches it something, though far
# from what the weights that ship know: those saw 1,294 photographs for 45 minutes.

# %%
photos = folder / "photos"
photos.mkdir()
for name in ("coffee", "chelsea", "rocket") if not SMALL else ("chelsea",):
    Image.fromarray(getattr(data, name)()).save(photos / f"{name}.png")
command("train", "tao2017-restorer", "--data", "photos", "--hours", HOURS, "--threads", 1)
command("export", "runs/tao2017-restorer", "--data", "photos", "-o", "weights/tao2017")

# %%
(folder / "file.jpg").write_bytes(file)
subprocess.run(
    [sys.executable, "-m", "calotype", "restore", "file.jpg", "-o", "mine.png", "--quiet"],
    cwd=folder, env={**os.environ, "CALOTYPE_WEIGHTS": str(folder / "weights")}, check=True,
)  # fmt: skip
say("JPEG, quality 15", opened(file))
say("restored by the network of this minute", np.asarray(Image.open(folder / "mine.png")))
say("restored by the weights that ship", calotype.restore(file, as_array=True))

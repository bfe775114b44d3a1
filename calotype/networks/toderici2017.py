# SPDX-License-Identifier: BSD-3-Clause
"""``toderici2017``: recurrent networks that code a picture a little better with every iteration.

Full resolution image compression with recurrent neural networks (Toderici et al. 2017, arXiv 1608.05148)::

    x ── - ──► r_t ─► E (recurrent) ─► tanh, sign ─► b_t (bits) ─► D (recurrent) ─► x̂_t
         ▲                                                                          │
         └──────────────────────────────── x̂_{t-1} ◄────────────────────────────────┘

``b_t (B, 32, H/16, W/16)`` of -1 and 1 costs 1/8 bit per pixel before entropy coding. What D gives back depends on the
*framework*: ``one-shot`` (each x̂_t is a whole picture, made from the state alone), ``additive`` (each iteration adds to
the sum of those before), ``scaling`` (additive, and the residual is amplified by a gain that the picture so far tells).
E and D are made of recurrent *units*: ``lstm``, ``alstm`` (associative, in D only), ``gru`` (with the paper's
residual terms) or ``deep`` (not the paper's: a GRU with a deep transition).

:class:`TodericiConfig` has two shapes. ``dense`` is the paper's: 3x3 convolutions from 1/2 to 1/16 of the side, D's
first layer as wide as its first unit, a 1x1 convolution to three colours at the full side, and tanh. The other one is
what a CPU can afford: 1/8 and 1/16 only, depthwise 5x5 and 1x1 convolutions; states are convolved 1x1, so that what D
sees of the bits around a place does not grow with the number of iterations (:attr:`Decoder.halo`). It also has what the
paper does not have, the *linear path*: each iteration has a linear transform of 16x16 blocks, whose signs are coded and
whose amplitudes are put back, and the networks mend what it leaves. The bits of a cell are found in groups of
:data:`GROUP`, each from what the groups before have left, so that a strong coefficient can have several. The path
starts from the principal components of the residuals (:mod:`calotype.training.toderici2017.task`) and is a codec before
its first step.

A position whose bits are all 0 has stopped: its state stays as it is. So places can stop at different iterations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import Block, Depthwise, Down, Pointwise
from .sizes import check_sizes

CELL = 16  # pixels of a side that share a column of bits
GROUP = 4  # bits that the linear path finds at once
ALPHA = 0.1  # weight of the residual terms in the paper's GRU
SHUT = 3.0  # by how much the gate of a second step is shut at the start
States = list[Tensor]


@dataclass(frozen=True)
class TodericiConfig:
    """Shape of the networks."""

    unit: Literal["lstm", "alstm", "gru", "deep"] = "gru"
    framework: Literal["one-shot", "additive", "scaling"] = "one-shot"
    iterations: int = 16
    bits: int = 32  # of a cell of 16x16 pixels, an iteration: 1/8 bit per pixel
    dense: bool = False  # the paper's 3x3 convolutions, from half the side on
    entry: int = 64  # channels of the layer before the first unit of D
    head: int = 64  # channels of the layer before the first unit of E, if dense
    encoder: tuple[int, ...] = (96, 256)  # channels of the units, finest first
    decoder: tuple[int, ...] = (256, 96)  # channels of the units, coarsest first
    blocks: int = 1  # residual blocks behind D's last unit
    linear: bool = True  # the linear path

    def __post_init__(self) -> None:
        check_sizes(self, zero=("blocks",))


class Into(nn.Module):
    """Convolution of a unit's input: ``(B, C, H, W) -> (B, D, H / stride, W / stride)``."""

    def __init__(self, channels: int, out: int, stride: int, dense: bool) -> None:
        super().__init__()
        self.dense, self.stride = dense, stride
        if dense:
            self.conv = nn.Conv2d(channels, out, 3, stride, 1)
        else:
            self.depthwise = Depthwise(channels * stride**2)
            self.pointwise = Pointwise(channels * stride**2, out)
            with torch.no_grad():
                self.depthwise.weight.mul_(0.3)
                self.depthwise.weight[:, :, 2, 2] += 1.0

    def forward(self, x: Tensor, half: bool) -> Tensor:
        """``half``: compute matrix products in bfloat16."""
        if not self.dense:
            x = self.depthwise(packed(x, self.stride))
        with torch.autocast(x.device.type, torch.bfloat16, enabled=half):
            y = self.conv(x) if self.dense else self.pointwise(x)
        return cast(Tensor, y.float())


class Unit(nn.Module):
    """A convolutional recurrent unit: input ``(B, C, sH, sW)``, states ``(B, D, H, W)`` -> output, states.

    Args:
        channels: C.
        width: D.
        stride: s, 1 or 2.
        dense: see :class:`Into`.
        kernel: side of the kernel that states are convolved with.
    """

    states = 1  # how many tensors it remembers
    gates = 4.0  # outputs of the input's convolution, in widths
    hidden_gates = 4.0  # outputs of the state's convolution, in widths
    branch_in_bfloat16 = False

    def __init__(self, channels: int, width: int, stride: int, dense: bool, kernel: int = 1) -> None:
        super().__init__()
        self.width, self.stride = width, stride
        self.into = Into(channels, round(self.gates * width), stride, dense)
        self.hidden = _square(width, round(self.hidden_gates * width), kernel)

    @property
    def in_half(self) -> bool:
        """Whether to compute matrix products in bfloat16."""
        return self.branch_in_bfloat16 and self.training

    def recall(self, h: Tensor) -> Tensor:
        """The state's convolution."""
        with torch.autocast(h.device.type, torch.bfloat16, enabled=self.in_half):
            y = self.hidden(h)
        return cast(Tensor, y.float())

    def start(self, x: Tensor) -> States:
        """States before the first input ``x``."""
        shape = (x.shape[0], self.width, x.shape[2] // self.stride, x.shape[3] // self.stride)
        return [x.new_zeros(shape).contiguous(memory_format=torch.channels_last)] * self.states

    def forward(self, x: Tensor, states: States) -> tuple[Tensor, States]:
        """See the class."""
        raise NotImplementedError


def _square(channels: int, out: int, kernel: int) -> nn.Module:
    return Pointwise(channels, out) if kernel == 1 else nn.Conv2d(channels, out, kernel, padding=kernel // 2)


class Lstm(Unit):
    """Convolutional LSTM; states (h, c)."""

    states = 2

    def forward(self, x: Tensor, states: States) -> tuple[Tensor, States]:
        """See :class:`Unit`."""
        h, c = states
        f, i, o, j = (self.into(x, self.in_half) + self.recall(h)).chunk(4, 1)
        c = torch.sigmoid(f + 1) * c + torch.sigmoid(i) * torch.tanh(j)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, [h, c]


class AssociativeLstm(Unit):
    """Associative LSTM (Danihelka et al. 2016): an LSTM whose values are complex, and bound to complex keys.

    The first half of the channels are real parts, the other half imaginary ones; states (h, c).
    """

    states = 2
    gates = hidden_gates = 4.5

    def forward(self, x: Tensor, states: States) -> tuple[Tensor, States]:
        """See :class:`Unit`."""
        h, c = states
        w = self.width
        parts = (self.into(x, self.in_half) + self.recall(h)).split([w // 2] * 3 + [w] * 3, 1)
        f, i, o = torch.sigmoid(parts[0] + 1), torch.sigmoid(parts[1]), torch.sigmoid(parts[2])
        u, key_in, key_out = (_bound(p) for p in parts[3:])
        c = torch.cat([f, f], 1) * c + _product(key_in, torch.cat([i, i], 1) * u)
        h = torch.cat([o, o], 1) * _bound(_product(key_out, c))
        return h, [h, c]


def _bound(z: Tensor) -> Tensor:
    """Complex numbers with a modulus of at most 1: those above it are divided by it."""
    a, b = z.chunk(2, 1)
    modulus = (a * a + b * b).clamp_min(1.0).sqrt()
    return z / torch.cat([modulus, modulus], 1)


def _product(p: Tensor, q: Tensor) -> Tensor:
    """Of complex numbers."""
    (a, b), (c, d) = p.chunk(2, 1), q.chunk(2, 1)
    return torch.cat([a * c - b * d, a * d + b * c], 1)


class Gru(Unit):
    """Convolutional GRU with residual terms; state (h,)."""

    hidden_gates = 3.0

    def __init__(self, channels: int, width: int, stride: int, dense: bool, kernel: int = 1) -> None:
        super().__init__(channels, width, stride, dense, kernel)
        self.candidate = _square(width, width, kernel)

    def forward(self, x: Tensor, states: States) -> tuple[Tensor, States]:
        """See :class:`Unit`."""
        (h,) = states
        z_x, r_x, n_x, o_x = self.into(x, self.in_half).chunk(4, 1)
        z_h, r_h, direct = self.recall(h).chunk(3, 1)
        z = torch.sigmoid(z_x + z_h)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.in_half):
            n_h = self.candidate(torch.sigmoid(r_x + r_h) * h)
        h = h + z * (torch.tanh(n_x + n_h.float()) - h) + ALPHA * direct
        return h + ALPHA * o_x, [h]


class DeepGru(Gru):
    """A GRU whose state takes a second, gated step without input: a deep transition with shortcut.

    R. Pascanu et al., "How to construct deep recurrent neural networks", ICLR 2014, arXiv 1312.6026. It starts near a
    plain GRU: the second step's gate is nearly shut.
    """

    def __init__(self, channels: int, width: int, stride: int, dense: bool, kernel: int = 1) -> None:
        super().__init__(channels, width, stride, dense, kernel)
        self.deeper = _square(width, 2 * width, kernel)
        self.deeper_candidate = _square(width, width, kernel)
        with torch.no_grad():
            cast(Tensor, self.deeper.bias)[:width].sub_(SHUT)

    def forward(self, x: Tensor, states: States) -> tuple[Tensor, States]:
        """See :class:`Unit`."""
        y, (h,) = super().forward(x, states)
        with torch.autocast(h.device.type, torch.bfloat16, enabled=self.in_half):
            z, r = self.deeper(h).float().sigmoid().chunk(2, 1)
            n = self.deeper_candidate(r * h)
        step = z * (torch.tanh(n.float()) - h)
        return y + step, [h + step]


UNITS: dict[str, type[Unit]] = {"lstm": Lstm, "alstm": AssociativeLstm, "gru": Gru, "deep": DeepGru}
FRAMEWORKS = ("one-shot", "additive", "scaling")


class Encoder(nn.Module):
    """E: residual ``r (B, 3, H, W)``, H and W multiples of 16 -> logits of the bits ``(B, 32, H/16, W/16)``."""

    def __init__(self, config: TodericiConfig) -> None:
        super().__init__()
        make = UNITS["lstm" if config.unit == "alstm" else config.unit]
        widths, dense = config.encoder, config.dense
        self.dense = dense
        self.head = nn.Conv2d(3, config.head, 3, 2, 1) if dense else Pointwise(3 * 64, widths[0])
        inputs = [config.head if dense else widths[0], *widths]
        self.units = nn.ModuleList([make(inputs[i], w, 2 if dense or i else 1, dense) for i, w in enumerate(widths)])
        if not dense:  # the paper's networks are not told the iteration
            self.log_gain = nn.Parameter(torch.zeros(config.iterations))  # residuals become smaller and smaller
            self.embedding = nn.Parameter(torch.zeros(config.iterations, inputs[0]))
        self.tail = Pointwise(widths[-1], config.bits)
        self.linear = _matrices(config, config.bits, 3 * CELL**2) if config.linear else None
        self.coupling: nn.ParameterList | None = None
        if config.linear:
            self.coupling = _matrices(config, config.bits, config.bits)  # what earlier bits take from later logits
            with torch.no_grad():
                self.tail.weight.mul_(0.1)

    def start(self, r: Tensor) -> States:
        """States before the first iteration."""
        return _start(self.units, r, 2 if self.dense else 8)

    def forward(self, r: Tensor, states: States, t: int | Tensor) -> tuple[Tensor, States]:
        """Logits and states after iteration ``t``, from 0."""
        if self.dense:
            h = self.head(r)
        else:
            r = packed(r, 8)
            h = self.head(r * self.log_gain[t].exp()) + self.embedding[t][:, None, None]
        h, states = _run(self.units, h, states)
        logits = self.tail(h)
        if self.linear is not None:
            logits = logits + _matrix(packed(r, 2), _chosen(self.linear, t))
        return cast(Tensor, logits), states

    def bits(
        self, logits: Tensor, amplitude: Tensor | None, t: int | Tensor, binarise: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """Bits, group by group; ``amplitude (B, 32, H/16, W/16)`` is what D will multiply them with."""
        if self.coupling is None or amplitude is None:
            return binarise(logits)
        coupling = _chosen(self.coupling, t)
        rows, factors = logits.permute(0, 2, 3, 1), amplitude.permute(0, 2, 3, 1)
        found = binarise(rows[..., :GROUP])
        for k in range(GROUP, rows.shape[-1], GROUP):
            taken = F.linear(found * factors[..., :k], coupling[k : k + GROUP, :k])
            found = torch.cat([found, binarise(rows[..., k : k + GROUP] + taken)], -1)
        return found.permute(0, 3, 1, 2)


class Decoder(nn.Module):
    """D: bits ``b (B, 32, H/16, W/16)`` of -1 and 1, or 0 where a position has stopped -> ``(B, 3, H, W)``.

    The result is a picture minus 1/2 in the one-shot framework, and what is to be added in the others.
    """

    def __init__(self, config: TodericiConfig) -> None:
        super().__init__()
        make, widths, dense = UNITS[config.unit], config.decoder, config.dense
        self.dense, self.one_shot = dense, config.framework == "one-shot"
        self.entry = Pointwise(config.bits, config.entry)
        if not dense:
            self.embedding = nn.Parameter(torch.zeros(config.iterations, config.entry))
        inputs = [config.entry, *[w // 4 for w in widths]]
        kernels = [3 if dense and i > 1 else 1 for i in range(len(widths))]
        self.units = nn.ModuleList([make(inputs[i], w, 1, dense, kernels[i]) for i, w in enumerate(widths)])
        last = widths[-1]
        self.blocks = nn.Sequential(*[Block(last) for _ in range(config.blocks)])
        self.pixels = CELL >> (len(widths) - 1)  # of a side that belong to a position of the last unit
        self.tail = Pointwise(last // self.pixels**2, 3) if dense else Pointwise(last, 3 * self.pixels**2)
        self.linear = self.amplitude = None
        if config.linear:
            self.linear = _matrices(config, 3 * CELL**2, config.bits)
            self.amplitude = Pointwise(widths[0], config.bits)  # logarithm; what came before tells it
            with torch.no_grad():
                for layer in (self.amplitude, self.tail):
                    layer.weight.mul_(0.05)
                    cast(Tensor, layer.bias).zero_()
        self.halo = CELL * 2 + (CELL // 2) * 2 * (1 + config.blocks)  # pixels around; if not dense, nor scaling

    def start(self, b: Tensor) -> States:
        """States before the first iteration: of the units, the last unit's output, the linear path (if there is one).

        The linear path's, ``(B, 768, H/16, W/16)``, is the sum so far if the framework is one-shot, else the last step.
        """
        units = cast("list[Unit]", list(self.units))
        states: States = []
        for i, unit in enumerate(units):
            states += unit.start(b.new_zeros(b.shape[0], 1, b.shape[2] << i, b.shape[3] << i))
        finest = len(units) - 1
        states.append(b.new_zeros(b.shape[0], units[-1].width, b.shape[2] << finest, b.shape[3] << finest))
        if self.linear is not None:
            states.append(b.new_zeros(b.shape[0], 3 * CELL**2, *b.shape[2:]))
        return states

    def forward(self, b: Tensor, states: States, t: int | Tensor, stops: bool = True) -> tuple[Tensor, States]:
        """Result and states after iteration ``t``, from 0; ``stops`` is whether there may be positions that have."""
        states = self.update(b, states, t, stops)
        y = self.picture(states)
        if stops and not self.one_shot:  # nothing is added where a position has stopped
            y = y * F.interpolate(b[:, :1].abs(), scale_factor=float(CELL), mode="nearest")
        return y, states

    def update(self, b: Tensor, states: States, t: int | Tensor, stops: bool = True) -> States:
        """States after iteration ``t``. What they look like is :meth:`picture`."""
        going = b[:, :1].abs() if stops else None  # 1, or 0 where the position has stopped
        h = self.entry(b)
        if not self.dense:
            h = h + self.embedding[t][:, None, None]
        updated: States = []
        for i, unit in enumerate(cast("list[Unit]", list(self.units))):
            old = states[len(updated) : len(updated) + unit.states]
            if i:
                h = unpacked(h, 2)
                going = going if going is None else F.interpolate(going, scale_factor=2.0, mode="nearest")
            h, new = unit(h, old)
            updated += [_held(o, n, going) for o, n in zip(old, new, strict=True)]
        updated.append(_held(states[len(updated)], h, going))
        amplitude = self.amplitudes(states)
        if self.linear is not None and amplitude is not None:
            step = _matrix(b * amplitude, _chosen(self.linear, t))
            updated.append(states[-1] + step if self.one_shot else step)
        return updated

    def amplitudes(self, states: States) -> Tensor | None:
        """Factors of the linear path's bits in the next iteration: ``(B, 32, H/16, W/16)``."""
        return None if self.amplitude is None else self.amplitude(states[0]).clamp(-3.0, 3.0).exp()

    def picture(self, states: States) -> Tensor:
        """See :meth:`update`."""
        linear = self.linear is not None
        y = self.blocks(states[-2] if linear else states[-1])
        if self.dense:  # colours are made at the full side, and have bounds
            y = torch.tanh(self.tail(unpacked(y, self.pixels)))
            return y / 2 if self.one_shot else y
        y = self.tail(y)
        if linear:
            y = y + unpacked(states[-1], CELL // self.pixels)
        return unpacked(cast(Tensor, y), self.pixels)


class Gain(nn.Module):
    """By how much to amplify a residual, from the picture so far: ``(B, 3, H, W) -> (B, 1, H/16, W/16)``, from 1 on."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.layers = nn.Sequential(Down(3, width, CELL), Block(width), Pointwise(width, 1))
        with torch.no_grad():
            last = cast(Pointwise, self.layers[-1])
            last.weight.mul_(0.05)
            cast(Tensor, last.bias).zero_()

    def forward(self, x: Tensor) -> Tensor:
        """See the class: the paper's ELU + 2, in logarithms."""
        return cast(Tensor, self.layers(x - 0.5).clamp(-3.0, 3.0).exp())


def sign(logits: Tensor) -> Tensor:
    """Hard bits: -1 or 1."""
    return torch.where(logits >= 0, 1.0, -1.0)


def stochastic_sign(logits: Tensor) -> Tensor:
    """-1 or 1 with the mean tanh(logits), whose gradient passes (section 3.1 of the paper)."""
    y = torch.tanh(logits)
    b = torch.where(torch.rand_like(y) * 2 - 1 < y, 1.0, -1.0)
    return y + (b - y).detach()


def straight_sign(logits: Tensor) -> Tensor:
    """Hard bits with the gradient of tanh."""
    y = torch.tanh(logits)
    return y + (sign(y) - y).detach()


class Toderici2017(nn.Module):
    """Both networks, and the framework that joins them."""

    def __init__(self, config: TodericiConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or TodericiConfig()
        self.encoder, self.decoder = Encoder(config), Decoder(config)
        self.gain = Gain() if config.framework == "scaling" else None

    def iterate(
        self, x: Tensor, count: int, binarise: Callable[[Tensor], Tensor] = sign, until: Tensor | None = None,
        given: int = 0,
    ) -> Iterator[tuple[Tensor, Tensor]]:  # fmt: skip
        """Code ``x (B, 3, H, W)`` in 0..1, H and W multiples of 16; after each iteration, its bits and the picture.

        Args:
            x: what is coded.
            count: of iterations.
            binarise: logits -> bits.
            until: iterations ``(B, 1, H/16, W/16)`` after which a position stops.
            given: iterations through which no gradient passes, the first ones: they cost a third then.
        """
        cells = x.new_zeros(x.shape[0], 1, x.shape[2] // CELL, x.shape[3] // CELL)
        e_states, d_states = self.encoder.start(x), self.decoder.start(cells)
        x_hat = torch.full_like(x, 0.5)
        for t in range(count):
            with torch.set_grad_enabled(torch.is_grad_enabled() and t >= given):
                gain = self.scale(x_hat) if t else None
                r = x - x_hat
                logits, e_states = self.encoder(r if gain is None else r * gain, e_states, t)
                b = self.encoder.bits(logits, self.decoder.amplitudes(d_states), t, binarise)
                if until is not None:
                    b = b * (until > t)
                y, d_states = self.decoder(b, d_states, t, until is not None)
                x_hat = self.joined(x_hat, y, gain)
            yield b, x_hat

    def scale(self, x_hat: Tensor) -> Tensor | None:
        """The gain of each pixel, in the framework that has one."""
        if self.gain is None:
            return None
        return F.interpolate(self.gain(x_hat), scale_factor=float(CELL), mode="nearest")

    def joined(self, x_hat: Tensor, y: Tensor, gain: Tensor | None) -> Tensor:
        """The picture after D has given ``y``."""
        if self.decoder.one_shot:
            return y + 0.5
        return x_hat + (y if gain is None else y / gain)

    def decode(self, bits: Tensor) -> Tensor:
        """The picture that bits ``(N, B, 32, h, w)`` of N iterations make."""
        states = self.decoder.start(bits[0])
        x_hat = bits.new_full((bits.shape[1], 3, bits.shape[3] * CELL, bits.shape[4] * CELL), 0.5)
        for t, b in enumerate(bits):
            gain = self.scale(x_hat) if t else None
            y, states = self.decoder(b, states, t)
            x_hat = self.joined(x_hat, y, gain)
        return x_hat


def packed(x: Tensor, s: int) -> Tensor:
    """``(B, C, sH, sW) -> (B, s s C, H, W)``, as ONNX's SpaceToDepth; for samples that lie channels last."""
    if s == 1:
        return x
    b, c, h, w = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(b, h // s, s, w // s, s, c).permute(0, 1, 3, 2, 4, 5)
    return rows.reshape(b, h // s, w // s, s * s * c).permute(0, 3, 1, 2)


def unpacked(x: Tensor, s: int) -> Tensor:
    """``(B, s s C, H, W) -> (B, C, sH, sW)``: the inverse of :func:`packed`, as ONNX's DepthToSpace."""
    b, c, h, w = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(b, h, w, s, s, c // (s * s)).permute(0, 1, 3, 2, 4, 5)
    return rows.reshape(b, h * s, w * s, c // (s * s)).permute(0, 3, 1, 2)


def _held(old: Tensor, new: Tensor, going: Tensor | None) -> Tensor:
    """The old state where a position has stopped."""
    return new if going is None else old + going * (new - old)


def _matrices(config: TodericiConfig, out: int, channels: int) -> nn.ParameterList:
    """One for each iteration; apart, for the gradient of a slice would be as large as all of them."""
    return nn.ParameterList([nn.Parameter(torch.zeros(out, channels)) for _ in range(config.iterations)])


def _chosen(matrices: nn.ParameterList, t: int | Tensor) -> Tensor:
    return matrices[t] if isinstance(t, int) else torch.stack(list(matrices))[t]


def _matrix(x: Tensor, weight: Tensor) -> Tensor:
    """A matrix for each position: ``(B, C, H, W), (D, C) -> (B, D, H, W)``."""
    return F.linear(x.permute(0, 2, 3, 1), weight).permute(0, 3, 1, 2)


def _start(units: nn.ModuleList, x: Tensor, shrunk: int) -> States:
    states: States = []
    h, w = x.shape[2] // shrunk, x.shape[3] // shrunk
    for unit in cast("list[Unit]", list(units)):
        states += unit.start(x.new_zeros(x.shape[0], 1, h, w))
        h, w = h // unit.stride, w // unit.stride
    return states


def _run(units: nn.ModuleList, h: Tensor, states: States) -> tuple[Tensor, States]:
    updated: States = []
    for unit in cast("list[Unit]", list(units)):
        h, new = unit(h, states[len(updated) : len(updated) + unit.states])
        updated += new
    return h, updated

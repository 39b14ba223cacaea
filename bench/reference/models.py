# SPDX-License-Identifier: MIT
"""The models in PyTorch: the same parameters, under the same names and in the same shapes as in Chorale's checkpoints,
and the same losses. What Chorale does in one kernel is written here as anyone would write it in PyTorch.

    BasicVAE    Linear, BatchNorm, ReLU, Dropout down to mu and log variance, mirrored, linear output
    ConvVAE     Conv 4x4 stride 2, BatchNorm, LeakyReLU 0.2, Dropout2d down, ConvTranspose up; `flat`, `pooled` or `deep`,
                with or without a condition, which is joined to features and z or modulates the feature maps (FiLM)
    VaDE        BasicVAE with a mixture of Gaussians as its prior

Rows of x hold one input each, (n, bins); ConvVAE sees them as one-channel images, bands x frames. A checkpoint holds
everything of state_dict() but BatchNorm's num_batches_tracked.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F

BANDS, FRAMES = 128, 1292
LOG_VARIANCES = (-10.0, 10.0)
SLOPE = 0.2
CHANNELS_PER_GROUP = 8
# One stream for each random operation, as in models/streams.h; the index of the block is added.
LATENT_STREAM, ENCODER_STREAM, DECODER_STREAM = 1, 16, 32


class TorchNoise:
    """PyTorch's own random numbers. A golden run puts Chorale's in their place, which know their stream."""

    def dropout(self, p: float, stream: int) -> nn.Module:
        return nn.Dropout(p)

    def dropout2d(self, p: float, stream: int) -> nn.Module:
        return nn.Dropout2d(p)

    def normal(self, like: torch.Tensor) -> torch.Tensor:
        return torch.randn_like(like)


class Vae(nn.Module):
    """encode(x, labels), decode(z, labels) and what lies between them under a standard normal prior."""

    def __init__(self, noise):
        super().__init__()
        self.noise = noise

    def forward(self, x, labels=None):
        """The decoder's output (n, bins) and the KL divergence in nats, a mean over the batch."""
        mu, log_variance = self.encode(x, labels)
        log_variance = log_variance.clamp(*LOG_VARIANCES)
        z = mu + torch.exp(0.5 * log_variance) * self.noise.normal(mu)
        return self.decode(z, labels), self.kl(mu.float(), log_variance.float(), z.float())

    def kl(self, mu, log_variance, z):
        return 0.5 * (mu.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()


class BasicVAE(Vae):
    def __init__(self, input_dim=BANDS * FRAMES, hidden=(16, 32, 64), latent_dim=128, dropout=0.2, noise=TorchNoise()):
        super().__init__(noise)

        def blocks(widths, stream):
            layers = []
            for i, (a, b) in enumerate(zip(widths, widths[1:])):
                layers += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU(inplace=True), noise.dropout(dropout, stream + i)]
            return layers

        self.encoder = nn.Sequential(*blocks([input_dim, *hidden], ENCODER_STREAM))
        self.fc_mu = nn.Linear(hidden[-1], latent_dim)
        self.fc_logvar = nn.Linear(hidden[-1], latent_dim)
        self.decoder = nn.Sequential(*blocks([latent_dim, *reversed(hidden)], DECODER_STREAM),
                                     nn.Linear(hidden[0], input_dim))

    def encode(self, x, labels=None):
        h = self.encoder(x)
        return self.fc_mu(h), self.fc_logvar(h)

    def decode(self, z, labels=None):
        return self.decoder(z)


class VaDE(BasicVAE):
    """Jiang et al., IJCAI 2017. The KL divergence is that of q(z, c | x) = q(z | x) q(c | x), with q(c | x) = p(c | z) at
    the sampled z, from the prior p(z, c)."""

    def __init__(self, components=50, latent_dim=128, **options):
        super().__init__(latent_dim=latent_dim, **options)
        self.pi_logits = nn.Parameter(torch.zeros(components))
        self.mu_c = nn.Parameter(torch.randn(components, latent_dim))
        self.logvar_c = nn.Parameter(torch.zeros(components, latent_dim))

    def kl(self, mu, log_variance, z):
        log_pi, log_s = F.log_softmax(self.pi_logits, 0), self.logvar_c.clamp(*LOG_VARIANCES)
        distance = (z[:, None] - self.mu_c).square() / log_s.exp()
        log_gamma = F.log_softmax(log_pi - 0.5 * (log_s + distance).sum(2), 1)  # log 2 pi cancels
        gamma = log_gamma.exp()
        spread = log_variance.exp()[:, None] + (mu[:, None] - self.mu_c).square()
        cross = 0.5 * (gamma * (log_s + spread / log_s.exp()).sum(2)).sum(1)
        entropy = 0.5 * (1 + log_variance).sum(1)
        return (cross - entropy + (gamma * (log_gamma - log_pi)).sum(1)).mean()


class Residual(nn.Module):
    """He et al., CVPR 2016, with GroupNorm."""

    def __init__(self, channels):
        super().__init__()
        groups = channels // CHANNELS_PER_GROUP if channels % CHANNELS_PER_GROUP == 0 else 1
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.GroupNorm(groups, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(groups, channels)

    def forward(self, x):
        y = F.leaky_relu(self.norm1(self.conv1(x)), SLOPE)
        return F.leaky_relu(x + self.norm2(self.conv2(y)), SLOPE)


def modulate(x, film):
    """Perez et al., AAAI 2018: film (n, 2 c) = [scale | shift]."""
    scale, shift = film[:, :, None, None].chunk(2, 1)
    return x * (1 + scale) + shift


class ConvVAE(Vae):
    """`flat` flattens the last feature map, `pooled` averages it over time first, `deep` is `pooled` with a residual
    block after each block of the encoder. `classes` > 0 makes it conditional."""

    def __init__(self, image=(BANDS, FRAMES), channels=(32, 64, 128, 256), backbone="flat", latent_dim=128, dropout=0.2,
                 classes=0, condition_dim=32, film=False, noise=TorchNoise()):
        super().__init__(noise)
        self.image, self.backbone, self.film = tuple(image), backbone, film and classes > 0
        halvings, last = 2 ** len(channels), channels[-1]
        self.narrow = (last, image[0] // halvings, image[1] // halvings)
        joined = condition_dim if classes > 0 and not film else 0
        bias = backbone == "flat"  # without effect in front of a norm, but the original has it

        def blocks(convolution, widths, stream):
            layers = []
            for i, (a, b) in enumerate(zip(widths, widths[1:])):
                layers += [convolution(a, b, 4, stride=2, padding=1, bias=bias), nn.BatchNorm2d(b),
                           nn.LeakyReLU(SLOPE, inplace=True), noise.dropout2d(dropout, stream + i)]
            return layers

        self.encoder = nn.Sequential(*blocks(nn.Conv2d, [1, *channels], ENCODER_STREAM))
        self.encoder_residual = nn.ModuleList(Residual(c) for c in channels if backbone == "deep")
        features = last * self.narrow[1] * (self.narrow[2] if backbone == "flat" else 1) + joined
        self.fc_mu = nn.Linear(features, latent_dim)
        self.fc_logvar = nn.Linear(features, latent_dim)
        if classes > 0:
            self.embedding = nn.Embedding(classes, condition_dim)
        if self.film:
            self.encoder_film = nn.Linear(condition_dim, 2 * last)
            self.decoder_film = nn.Linear(condition_dim, 2 * last)
        self.decoder_input = nn.Linear(latent_dim + joined, math.prod(self.narrow))
        self.decoder = nn.Sequential(*blocks(nn.ConvTranspose2d, list(reversed(channels)), DECODER_STREAM),
                                     nn.ConvTranspose2d(channels[0], 1, 4, stride=2, padding=1))

    def encode(self, x, labels=None):
        x = x.reshape(len(x), 1, self.image[0], -1)
        if self.encoder_residual:
            for i, residual in enumerate(self.encoder_residual):
                x = residual(self.encoder[4 * i:4 * i + 4](x))
        else:
            x = self.encoder(x)
        condition = None if labels is None else self.embedding(labels)
        if self.film:
            x = modulate(x, self.encoder_film(condition))
        if self.backbone != "flat":
            x = x.mean(3)
        x = x.flatten(1)
        if labels is not None and not self.film:
            x = torch.cat([x, condition], 1)
        return self.fc_mu(x), self.fc_logvar(x)

    def decode(self, z, labels=None):
        condition = None if labels is None else self.embedding(labels)
        if labels is not None and not self.film:
            z = torch.cat([z, condition], 1)
        x = self.decoder_input(z).reshape(-1, *self.narrow)
        if self.film:
            x = modulate(x, self.decoder_film(condition))
        x = self.decoder(x)
        if tuple(x.shape[2:]) != self.image:
            x = F.interpolate(x, self.image, mode="bilinear", align_corners=False)
        return x.flatten(1)


def objective(model, x, labels=None, kl_weight=1.0, likelihood="gaussian", scale=1.0, reduction="sum"):
    """(loss, reconstruction, KL), each a mean over the batch. `sum`: nats, summed over dimensions (the ELBO). `mean`: the
    original's, the reconstruction averaged over its bins and the KL over the latent dimensions."""
    y, kl = model(x, labels)
    reconstruction = F.mse_loss(y.float(), x, reduction="sum") / len(x)
    if likelihood == "gaussian":
        constant = math.log(scale) + 0.5 * math.log(2 * math.pi)
        reconstruction = 0.5 / scale**2 * reconstruction + x.shape[1] * constant
    if reduction == "mean":
        reconstruction, kl = reconstruction / x.shape[1], kl / model.fc_mu.out_features
    return reconstruction + kl_weight * kl, reconstruction, kl


def parameter_groups(model, learning_rate, mixture_rate=0.1):
    """For torch.optim: VaDE's mixture learns slower and does not decay."""
    mixture = {"pi_logits", "mu_c", "logvar_c"}
    groups = [{"params": [p for name, p in model.named_parameters() if name not in mixture]}]
    slow = [p for name, p in model.named_parameters() if name in mixture]
    if slow:
        groups.append({"params": slow, "lr": mixture_rate * learning_rate, "weight_decay": 0.0})
    return groups


# In the configuration of configs/reference.yaml, on 128 bands x 1,292 frames; `small` models see 128 frames.
REFERENCE_MODELS = {
    "basic": (BasicVAE, {}),
    "basic_wide": (BasicVAE, {"hidden": (512, 256, 128)}),
    "conv": (ConvVAE, {}),
    "conv_small": (ConvVAE, {"image": (BANDS, 128)}),
    "beta": (ConvVAE, {}),
    "cvae_genre": (ConvVAE, {"classes": 45}),
    "cvae_language": (ConvVAE, {"classes": 5}),
    "vade": (VaDE, {"components": 50}),
}

# SPDX-License-Identifier: MIT
"""The two penalties on the total correlation KL(q(z) || prod_k q(z_k)) of the aggregate posterior, in PyTorch, from the
papers; Chorale's random numbers (philox.py). Each gives the penalty of a batch from (mu, log variance, z), each (n, d), and
is told when the model was updated.

    WeightedSampling   Chen et al., "Isolating sources of disentanglement in variational autoencoders", NeurIPS 2018
    DensityRatio       Kim and Mnih, "Disentangling by factorising", ICML 2018, with its second player
"""
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import philox

INITIALIZER_STREAM, PERMUTATION_STREAM = 1 << 16, 3


class WeightedSampling:
    """Minibatch weights: q(z) is estimated as the sum over the batch of q(z | x_j) / (n samples)."""

    def __init__(self, samples):
        self.samples = samples

    def penalty(self, mu, log_variance, z):
        posterior = torch.distributions.Normal(mu, (0.5 * log_variance).exp())
        log_q = posterior.log_prob(z[:, None])  # (i, j, k) = log q(z_ik | x_j)
        log_weight = -math.log(len(z) * self.samples)
        joint = torch.logsumexp(log_q.sum(2), 1) + log_weight
        marginals = torch.logsumexp(log_q, 1) + log_weight
        return (joint - marginals.sum(1)).mean()

    def model_updated(self, offset):
        pass

    def tensors(self):
        return {}


class DensityRatio:
    """A discriminator's logit is the log density ratio. It learns from the codes of the same batch, its other class being
    these codes with each dimension in an order of its own."""

    def __init__(self, latent_dim, seed, rate, clip):
        self.seed, self.clip = seed, clip
        widths = [latent_dim, 256, 256, 256, 1]
        layers = []
        for fan_in, fan_out in zip(widths, widths[1:]):
            layers += [nn.Linear(fan_in, fan_out), nn.LeakyReLU(0.2)]
        self.network = nn.Sequential(*layers[:-1])
        with torch.no_grad():
            for i, parameter in enumerate(self.network.parameters()):
                bound = np.float32(1 / math.sqrt(self.network[i // 2 * 2].in_features))
                u = philox.uniform(seed, 0, INITIALIZER_STREAM + 1 + i, tuple(parameter.shape))
                parameter.copy_(torch.from_numpy(2 * bound * u - bound))
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=rate, betas=(0.5, 0.9))

    def penalty(self, mu, log_variance, z):
        self.codes = z.detach()
        return self.network(z).mean()

    def permuted(self, offset):
        words = philox.words(self.seed, offset, PERMUTATION_STREAM, self.codes.numel()).reshape(self.codes.shape)
        order = torch.from_numpy(np.argsort(words, axis=0, kind="stable"))
        return torch.gather(self.codes, 0, order)

    def model_updated(self, offset):
        inputs = torch.cat([self.codes, self.permuted(offset)])
        real = torch.cat([torch.ones(len(self.codes), 1), torch.zeros(len(self.codes), 1)])
        self.optimizer.zero_grad()  # also of what the model's own backward left here
        F.binary_cross_entropy_with_logits(self.network(inputs), real).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
        self.optimizer.step()

    def tensors(self):
        """Those after the last update that are small: biases, the first and the last layer."""
        named = {f"discriminator.{k}": v.clone() for k, v in self.network.state_dict().items()}
        return {k: v for k, v in named.items() if v.numel() <= 2048}

"""VaDE: its loss, its first mixture, the posterior that assigns samples, the noise that is drawn."""

from __future__ import annotations

import functools
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture
from torch import nn

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.errors import UserError
from deepcluster_pl.methods.initialization.initial_clustering import Initialization, fit_initialization
from deepcluster_pl.methods.vade import VaDE
from deepcluster_pl.nets.conv import ConvAutoencoder
from deepcluster_pl.nets.mlp import MLPAutoencoder

N, K, D = 40, 3, 2


def mlp(code_activation=None):
    return MLPAutoencoder((4, 4), [8, D], "relu", code_activation, "fan_in_uniform")


def samples():
    return torch.rand(N, 4, 4, generator=torch.Generator().manual_seed(1))


def vade(augment=None, seed=0, covariance_type="diag", epoch=0, rank=0):
    torch.manual_seed(0)
    module = VaDE(mlp(), "vade", K, 0.1, 0.01, functools.partial(torch.optim.SGD, lr=0.01), augment, seed)
    module.logged = {}
    module.log = lambda name, value, **_: module.logged.update({name: value.item()})
    module._trainer = SimpleNamespace(current_epoch=epoch, global_step=0, global_rank=rank, log_every_n_steps=1)
    mixture = GaussianMixture(K, covariance_type=covariance_type, random_state=0)
    module.initialize(fit_initialization(mixture, module.net.encode(samples()).detach()))
    return module, mixture


def draws(module, batch_idx):
    return module.draw(N, (module.current_epoch, batch_idx, module.global_rank))["noise"]


def naive_loss(module, x, noise):
    """Compute both terms sample by sample and cluster by cluster, in Python numbers."""
    mean = module.net.encode(x)
    features = torch.relu(module.net.encoder[1](x.flatten(1)))
    log_variance = module.log_variance_head(features)
    z = mean + noise * torch.exp(log_variance / 2)
    decoded = module.net.decode(z)
    squares = [(a - b) ** 2 for a, b in zip(x.flatten().tolist(), decoded.flatten().tolist(), strict=True)]
    mse = sum(squares) / len(squares)
    pi = module.logits.softmax(dim=0).tolist()
    centers, variances = module.centers.tolist(), module.log_variances.exp().tolist()
    kl = 0.0
    for mu, ln_var, drawn in zip(mean.tolist(), log_variance.tolist(), z.tolist(), strict=True):
        joint = [
            pi[c] * math.prod(
                math.exp(-((drawn[d] - centers[c][d]) ** 2) / (2 * variances[c][d])) / math.sqrt(variances[c][d])
                for d in range(D)
            )
            for c in range(K)
        ]  # fmt: skip
        for c in range(K):
            gamma = joint[c] / sum(joint)
            kl += gamma * math.log(gamma / pi[c])
            for d in range(D):
                own, prior = math.exp(ln_var[d]), variances[c][d]
                gap = (mu[d] - centers[c][d]) ** 2
                kl += gamma * 0.5 * (math.log(prior / own) + (own + gap) / prior - 1)
    return 16 / 2 * (1 + math.log(2 * math.pi * mse)), kl / len(x)


def test_the_loss_is_the_negative_lower_bound():
    module, _ = vade()
    nn.init.normal_(module.log_variance_head.weight, std=0.3)
    x = samples()
    reconstruction, kl = naive_loss(module, x, draws(module, 4))
    assert module.training_step((x, torch.arange(N)), 4).item() == pytest.approx(reconstruction + kl, rel=1e-4)
    assert module.logged["fit/reconstruction"] == pytest.approx(reconstruction, rel=1e-4)
    assert module.logged["fit/kl"] == pytest.approx(kl, rel=1e-4)


def test_a_diagonal_mixture_begins_with_scikit_learns_posterior():
    module, mixture = vade()
    z = module.net.encode(samples()).detach()
    np.testing.assert_allclose(module.assign(z).detach(), mixture.predict_proba(z.double().numpy()), atol=1e-4)


@pytest.mark.parametrize("covariance_type", ["diag", "full", "tied", "spherical"])
def test_every_mixture_begins_with_its_own_variances(covariance_type):
    module, mixture = vade(covariance_type=covariance_type)
    full = {
        "full": lambda c: np.diagonal(c, axis1=1, axis2=2),
        "tied": lambda c: np.broadcast_to(np.diagonal(c), (K, D)),
        "diag": lambda c: c,
        "spherical": lambda c: np.broadcast_to(c[:, None], (K, D)),
    }[covariance_type](mixture.covariances_)
    np.testing.assert_allclose(module.log_variances.exp().detach(), full, rtol=1e-4)


def test_the_first_noise_is_a_tenth_of_the_clusters_own_width():
    module, mixture = vade()
    own = 0.01 * mixture.weights_ @ mixture.covariances_
    features = module.net.features(samples())
    expected = np.broadcast_to(np.log(own), (N, D))
    np.testing.assert_allclose(module.log_variance_head(features).detach(), expected, rtol=1e-4)


def test_centers_alone_begin_with_the_nearest_center_and_one_center_with_no_spread():
    module, _ = vade()
    centers = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]])
    module.initialize(Initialization(None, centers))
    z = torch.randn(200, D, generator=torch.Generator().manual_seed(3)) * 3
    q = module.assign(z).detach()
    assert torch.equal(q.argmax(dim=1), torch.cdist(z, centers).argmin(dim=1))
    torch.testing.assert_close(q.sum(dim=1), torch.ones(200))
    module.initialize(Initialization(None, torch.ones(K, D)))
    assert torch.isfinite(module.assign(z)).all()


def test_probabilities_stay_finite_and_sum_to_one_far_from_every_component():
    module, _ = vade()
    z = torch.tensor([[1e6, -1e6], [0.0, 1e8]])
    log_q = module.log_probabilities(z).detach()
    assert torch.isfinite(log_q).all()
    torch.testing.assert_close(log_q.exp().sum(dim=1), torch.ones(2))


def test_net_head_and_mixture_all_move():
    module, _ = vade()
    optimizer = module.configure_optimizers()
    before = {name: parameter.clone() for name, parameter in module.named_parameters()}
    module.training_step((samples(), torch.arange(N)), 0).backward()
    optimizer.step()
    still = {name for name, parameter in module.named_parameters() if torch.equal(parameter, before[name])}
    assert still == set()


def test_noise_depends_on_its_place_in_training_alone():
    module, _ = vade()
    assert torch.equal(draws(module, 3), draws(vade()[0], 3))
    others = [draws(module, 4)] + [draws(vade(**place)[0], 3) for place in ({"epoch": 1}, {"rank": 1}, {"seed": 1})]
    assert not any(torch.equal(draws(module, 3), other) for other in others)


def test_a_distorted_batch_is_reconstructed_as_distorted():
    augment = Affine(0.2, 90.0, 0.0, 0.0, "nearest", 0)
    plain, distorting = vade()[0], vade(augment)[0]
    x, index = samples(), torch.arange(N)
    expected = plain.training_step((augment(x, 0, 7, 0), index), 7)
    assert distorting.training_step((x, index), 7).item() == pytest.approx(expected.item(), rel=1e-5)
    assert not torch.isclose(plain.training_step((x, index), 7), expected)


def test_everything_is_float32_under_bf16_autocast():
    module, _ = vade()
    z = module.net.encode(samples()).detach()
    plain = module.assign(z)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = module.training_step((samples(), torch.arange(N)), 0)
        assert torch.equal(module.assign(z), plain)
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)


def test_features_and_the_code_layer_make_the_embedding_of_every_net_with_a_linear_code():
    for net, shape in ((mlp(), (4, 4)), (ConvAutoencoder((8, 8), [2, 3], [3, 3], 4), (8, 8))):
        x = torch.rand(5, *shape)
        assert torch.equal(net.code_layer(net.features(x)), net.encode(x))


def test_a_code_with_an_activation_is_refused_with_what_to_type():
    with pytest.raises(UserError, match=r"found Sigmoid.*net.code_activation=null"):
        VaDE(mlp("sigmoid"), "vade", K, 0.1, 0.01, torch.optim.Adam, None, 0)

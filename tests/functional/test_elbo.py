"""The evidence lower bound: its divergence beside loops and draws, its likelihood beside Python numbers."""

from __future__ import annotations

import math

import pytest
import torch

from deepcluster_pl.functional import gaussian_log_density, gaussian_loss, mixture_divergence

N, D, K = 4, 3, 5


@pytest.fixture
def parts():
    """Mean, log variance, log probabilities, log weights, centers, log variances."""
    draw = torch.Generator().manual_seed(0)

    def normal(*shape):
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    return (
        normal(N, D), normal(N, D), normal(N, K).log_softmax(dim=1),
        normal(K).log_softmax(dim=0), normal(K, D), normal(K, D),
    )  # fmt: skip


def slow_divergence(mean, log_variance, log_probabilities, log_weights, centers, log_variances):
    found = []
    for i in range(N):
        total = 0.0
        for c in range(K):
            gamma = math.exp(log_probabilities[i, c])
            total += gamma * (math.log(gamma) - float(log_weights[c]))
            for d in range(D):
                mine, prior = math.exp(log_variance[i, d]), math.exp(log_variances[c, d])
                apart = float(mean[i, d] - centers[c, d])
                total += gamma * (math.log(math.sqrt(prior / mine)) + (mine + apart**2) / (2 * prior) - 0.5)
        found.append(total)
    return found


def test_the_divergence_agrees_with_the_slow_double_loop(parts):
    assert mixture_divergence(*parts).tolist() == pytest.approx(slow_divergence(*parts), rel=1e-10)


def test_the_divergence_agrees_with_the_mean_over_many_draws(parts):
    mean, log_variance, log_probabilities, log_weights, centers, log_variances = parts
    draw = torch.Generator().manual_seed(1)
    n_draws = 200_000
    deviation = torch.exp(0.5 * log_variance)
    found = mixture_divergence(*parts)
    for i in range(N):
        z = mean[i] + deviation[i] * torch.randn(n_draws, D, generator=draw, dtype=torch.float64)
        own = torch.distributions.Normal(mean[i], deviation[i]).log_prob(z).sum(dim=1)
        c = torch.multinomial(log_probabilities[i].exp(), n_draws, replacement=True, generator=draw)
        density = gaussian_log_density(z, centers, torch.exp(-0.5 * log_variances))
        ratio = own + log_probabilities[i, c] - log_weights[c] - density[torch.arange(n_draws), c]
        assert abs(ratio.mean() - found[i]) < 4 * ratio.std() / n_draws**0.5


def test_the_divergence_is_zero_for_the_prior_itself_and_above_zero_elsewhere(parts):
    *_, centers, log_variances = parts
    certain = torch.full((K,), -800.0, dtype=torch.float64)  # exp(-800) is 0
    certain[2] = 0
    same = (centers[2].expand(N, D), log_variances[2].expand(N, D), certain.expand(N, K))
    assert mixture_divergence(*same, certain, centers, log_variances).tolist() == [0.0] * N
    assert bool((mixture_divergence(*parts) > 0).all())


def test_gradients_of_the_divergence_agree_with_finite_differences(parts):
    leaves = [part.detach().requires_grad_() for part in parts]
    assert torch.autograd.gradcheck(mixture_divergence, leaves)


def test_the_divergence_is_the_same_under_bf16_autocast(parts):
    parts = [part.float() for part in parts]
    plain = mixture_divergence(*parts)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(mixture_divergence(*parts), plain)


def test_the_loss_is_the_negative_log_density_at_the_variance_that_fits_best():
    draw = torch.Generator().manual_seed(0)
    x, decoded = torch.randn(6, 2, 3, generator=draw), torch.randn(6, 2, 3, generator=draw)
    loss, variance = gaussian_loss(decoded, x, 0.0)
    pairs = list(zip(x.flatten().tolist(), decoded.flatten().tolist(), strict=True))
    best = sum((a - b) ** 2 for a, b in pairs) / len(pairs)

    def negative_log_density(s2):
        return sum(0.5 * ((a - b) ** 2 / s2 + math.log(2 * math.pi * s2)) for a, b in pairs) / 6

    assert variance.item() == pytest.approx(best, rel=1e-5)
    assert loss.item() == pytest.approx(negative_log_density(best), rel=1e-5)
    assert all(negative_log_density(best) < negative_log_density(best * factor) for factor in (0.9, 1.1))


def test_a_fitting_variance_has_the_gradient_of_its_own_logarithm():
    draw = torch.Generator().manual_seed(0)
    x, decoded = torch.randn(6, 4, generator=draw), torch.randn(6, 4, generator=draw).requires_grad_()
    (found,) = torch.autograd.grad(gaussian_loss(decoded, x, 0.0)[0], decoded)
    (expected,) = torch.autograd.grad(2 * (decoded - x).square().mean().log(), decoded)
    torch.testing.assert_close(found, expected)


def test_a_decoder_that_makes_hardly_an_error_weighs_no_more_than_the_floor_allows():
    x = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    decoded = (x + 1e-4).requires_grad_()
    loss, variance = gaussian_loss(decoded, x, 0.01)
    loss.backward()
    floor = 0.01 * x.var(dim=0, correction=0).mean()
    assert variance.item() == pytest.approx(floor.item(), rel=1e-6)
    torch.testing.assert_close(decoded.grad, (decoded - x).detach() / floor / 50)


def test_constant_samples_that_are_decoded_exactly_give_a_finite_loss_without_a_gradient():
    x = torch.ones(3, 2)
    decoded = x.clone().requires_grad_()
    loss, _ = gaussian_loss(decoded, x, 0.01)
    loss.backward()
    assert torch.isfinite(loss)
    assert not decoded.grad.any()


def test_losses_of_the_halves_of_a_batch_have_the_mean_of_the_batch():
    draw = torch.Generator().manual_seed(0)
    x, decoded = (torch.randn(8, 5, generator=draw, dtype=torch.float64) for _ in range(2))
    errors, spread = (decoded - x).square().mean(), (x - x.mean(dim=0)).square().mean(dim=0)
    means = []
    for rows in (slice(4), slice(4, 8)):
        of_all = iter((x.mean(dim=0), spread, errors))  # in the order in which the loss asks for them
        loss, variance = gaussian_loss(decoded[rows], x[rows], 0.9, lambda _, of_all=of_all: next(of_all))
        means.append(loss.item())
    whole, expected = gaussian_loss(decoded, x, 0.9)
    assert variance.item() == pytest.approx(expected.item(), rel=1e-12)
    assert sum(means) / 2 == pytest.approx(whole.item(), rel=1e-12)

#!/usr/bin/env python3
"""Makes fixtures.safetensors: scikit-learn's linear discriminant analysis of small data sets, in double.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install numpy scipy scikit-learn==1.9.1 safetensors
    /tmp/venv/bin/python plugins/lda/make-fixtures.py
"""

from pathlib import Path

import numpy as np
import scipy.linalg
import scipy.optimize
from safetensors.numpy import save_file
from sklearn.covariance import ledoit_wolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import StandardScaler


def data(seed, counts, width, spread=1.0):
    """Correlated columns of different scales and offsets; labels in mixed order."""
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(width, width)) / np.sqrt(width) + np.eye(width)
    labels = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    means = rng.normal(size=(len(counts), width)) * spread
    rows = (means[labels] + rng.normal(size=(len(labels), width))) @ mix
    rows = rows * rng.uniform(0.1, 30, width) + rng.normal(size=width) * 5
    return rows.astype(np.float32), labels.astype(np.int32)


def with_constants(seed):
    """A column that is constant, and one that is constant within two labels."""
    rows, labels = data(seed, [12, 9, 20], 7)
    rows[:, 2] = 0.1
    rows[:, 5] = np.where(labels == 0, 3.7, np.where(labels == 1, -2.2, rows[:, 5]))
    return rows, labels


CASES = {
    "more-rows": data(1, [30, 25, 18, 40], 6),
    "more-columns": data(2, [9, 4, 13], 60, 0.3),
    "two-labels": data(3, [25, 40], 12, 0.2),
    "few-rows": data(4, [12, 1, 2, 9], 10),
    "more-labels": data(5, [4, 5, 6, 7, 8, 9, 10, 11], 3),
    "one-column": data(6, [8, 9, 10], 1),
    "constants": with_constants(7),
    # Larger than the panel of 256 rows in which labels are collected; and several panels.
    "large-label": data(8, [700, 60, 300], 8, 0.4),
    "panels": data(9, [90] * 9, 6, 0.3),
}

tensors = {}
for name, (rows, labels) in CASES.items():
    scaler = StandardScaler()
    z = scaler.fit_transform(rows.astype(np.float64))
    lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(z, labels)
    eigen = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(z, labels)
    np.testing.assert_allclose(lda.decision_function(z), eigen.decision_function(z), rtol=1e-6, atol=1e-6)
    shrinkage = [ledoit_wolf(StandardScaler().fit_transform(z[labels == k]))[1] for k in lda.classes_]
    coefficients, intercepts = lda.coef_, lda.intercept_
    if len(lda.classes_) == 2:  # scikit-learn keeps the difference
        coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
        intercepts = np.concatenate([[0.0], intercepts])
    # The axes, up to their signs: generalised eigenvectors of the covariances between and within labels.
    between = (lda.means_.T * lda.priors_) @ lda.means_
    values, vectors = scipy.linalg.eigh(between, lda.covariance_)
    n_axes = min(len(lda.classes_) - 1, z.shape[1])
    # Its own axes are those of the total covariance with a shrinkage of its own: these are of what it scores by.
    eigen.scalings_ = vectors[:, ::-1]
    eigen._max_components = n_axes
    points, centres = eigen.transform(z[:32]), eigen.transform(lda.means_)
    distances = np.linalg.norm(points[:, None] - centres[None], axis=2)
    tensors[f"{name}.rows"] = rows
    tensors[f"{name}.labels"] = labels
    for what, value in {
        "mean": scaler.mean_,
        "scale": scaler.scale_,
        "shrinkage": shrinkage,
        "coefficients": coefficients,
        "intercepts": intercepts,
        "posterior": lda.predict_proba(z[:32]),
        "between": values[::-1][:n_axes],
        "axes": vectors.T[::-1][:n_axes],
        "distances": distances,
    }.items():
        tensors[f"{name}.{what}"] = np.ascontiguousarray(value, dtype=np.float64)
    print(name, rows.shape, "shrinkage", np.round(shrinkage, 3))

# Scores that are 3.3 times too confident.
rng = np.random.default_rng(10)
scores = rng.normal(size=(200, 5)) * 2
p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
labels = np.array([rng.choice(5, p=row) for row in p], np.int32)
scores = scores * 3.3


def loss(t):
    e = np.exp((scores - scores.max(1, keepdims=True)) / t)
    return -np.log(e[np.arange(len(labels)), labels] / e.sum(1)).sum()


best = scipy.optimize.minimize_scalar(loss, bounds=(1, 100), method="bounded", options={"xatol": 1e-10}).x
tensors |= {"temperature.scores": scores, "temperature.labels": labels, "temperature.best": np.array([best])}
print("temperature", best)
save_file(tensors, Path(__file__).with_name("fixtures.safetensors"))

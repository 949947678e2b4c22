"""What classification gives, before and after coding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sememe.errors import VectorError
from sememe.metrics.checks import Floats, Labels, check_labels, matrix, pair
from sememe.metrics.ranking import top_k


def top_k_accuracy(scores: Floats, labels: Labels, k: int = 1) -> float:
    """Share of rows whose label is among the k highest scores.

    Parameters
    ----------
    scores : (n, c) float
    labels : (n,) int
        The right column of each row.
    k : int

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    VectorError
        No rows, as many labels as rows are not given, or k is not in 1..c.
    """
    scores = matrix(scores)
    check_labels(labels, len(scores))
    return float((top_k(scores, k) == np.asarray(labels)[:, None]).any(axis=1).mean())


def agreement(scores: Floats, other: Floats) -> float:
    """Share of rows in which two score matrices choose the same column.

    Parameters
    ----------
    scores, other : (n, c) float
        For example the scores of all labels for originals and for decoded vectors.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    VectorError
        The two are not matrices of one shape, or have no rows.
    """
    scores, other = pair(scores, other)
    if not len(scores):
        raise VectorError("agreement needs at least one row")
    return float(np.mean(top_k(scores) == top_k(other)))


def class_means(x: Floats, labels: Labels) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean vector of each class, scaled to unit length.

    Parameters
    ----------
    x : (n, d) float
    labels : (n,) int

    Returns
    -------
    means : (c, d) float64
        A class whose vectors cancel out keeps a zero row.
    classes : (c,) int64
        Ascending label of each row of `means`.

    Raises
    ------
    VectorError
        No rows, or as many labels as rows are not given.
    """
    x = matrix(x)
    check_labels(labels, len(x))
    classes, member = np.unique(np.asarray(labels, np.int64), return_inverse=True)
    sums = np.zeros((len(classes), x.shape[1]))
    np.add.at(sums, member, x)
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.divide(sums, norms, out=sums, where=norms > 0), classes


def nearest_class_mean_accuracy(x: Floats, labels: Labels, *, train_x: Floats, train_labels: Labels) -> float:
    """Accuracy of the nearest class mean by inner product, means taken over `train_x`.

    Parameters
    ----------
    x : (n, d) float
        Vectors to classify, for example decoded ones.
    labels : (n,) int
    train_x : (m, d) float
        Full-precision vectors of the same classes.
    train_labels : (m,) int

    Returns
    -------
    float
        In [0, 1]. A label that `train_labels` lacks counts as an error.

    Raises
    ------
    VectorError
        Shapes do not fit, or one side is empty.
    """
    x = matrix(x)
    check_labels(labels, len(x))
    means, classes = class_means(train_x, train_labels)
    if means.shape[1] != x.shape[1]:
        raise VectorError(f"class means have {means.shape[1]} dimensions, vectors have {x.shape[1]}")
    return float(np.mean(classes[top_k(x @ means.T)[:, 0]] == labels))

"""Threads of scikit-learn's clusterers: as many as give the same numbers again, and no more than pay."""

from __future__ import annotations

from contextlib import AbstractContextManager

from threadpoolctl import ThreadpoolController


def deterministic_openmp() -> AbstractContextManager[object]:
    """Return a context in which OpenMP uses two threads at most.

    scikit-learn's k-means adds up the threads' sums in the order in which the threads happen to finish, and sums of
    floats depend on their order. Sums of two terms do not. So with two threads the same seed gives the same centers,
    bit for bit; with three or more it does not.
    """
    openmp = ThreadpoolController().select(user_api="openmp")
    n_threads = min([2, *(library.num_threads for library in openmp.lib_controllers)])
    limited: AbstractContextManager[object] = openmp.limit(limits=n_threads)
    return limited


def one_blas_thread() -> AbstractContextManager[object]:
    """Return a context in which BLAS uses one thread.

    A mixture multiplies small matrices, many times. A second thread gains nothing there. Where another program uses its
    core, each product waits until that thread gets its turn.
    """
    limited: AbstractContextManager[object] = ThreadpoolController().limit(limits=1, user_api="blas")
    return limited

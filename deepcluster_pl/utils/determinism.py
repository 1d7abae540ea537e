"""What makes scikit-learn's k-means give the same numbers again on machines of many cores."""

from __future__ import annotations

from contextlib import AbstractContextManager

from threadpoolctl import ThreadpoolController


def deterministic_openmp() -> AbstractContextManager[object]:
    """Inside, OpenMP uses two threads at most.

    scikit-learn's k-means adds up what each thread has summed in the order in which the threads happen to finish, and
    sums of floats depend on their order. Those of two terms do not: with two threads the same seed gives the same
    centers, bit for bit; with three or more it does not.
    """
    openmp = ThreadpoolController().select(user_api="openmp")
    limited: AbstractContextManager[object] = openmp.limit(
        limits=min([2, *(one.num_threads for one in openmp.lib_controllers)])
    )
    return limited

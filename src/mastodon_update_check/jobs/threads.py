"""Run a function in a thread that does not keep the process from ending."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def in_thread(function: Callable[[], T]) -> "Future[T]":
    """Start `function` in a daemon thread; the future has its result or any exception that it raises."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is read
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future

"""Pickles that would take far more memory or time than they have bytes, told without loading them.

`torch.load(weights_only=True)` runs no code, but it makes what it is told to: gigabytes out of one
number, or a key of tuples in tuples, over and over the same, whose hash takes years.
"""

import pickletools
from typing import IO, Any

_BYTES = ("builtins bytearray", "__builtin__ bytearray")
# The most values in one tuple, counting those in its tuples as often as they are there.
_LARGEST = 1_000_000
# Operations that are looked at: a second's work. VGG-16 has some hundreds.
_MOST = 500_000
_PUT, _GET = ("PUT", "BINPUT", "LONG_BINPUT"), ("GET", "BINGET", "LONG_BINGET")


def check_pickle(stream: IO[bytes]) -> None:
    """Look through a pickle at the stream's place, which is at its end afterwards.

    Raises:
        ValueError: it is damaged, or would grow, or is too long to be one of weights.
    """
    stack: list[int] = []  # how many values each object on the unpickler's stack has
    memo: dict[Any, int] = {}
    for number, (operation, argument, _) in enumerate(pickletools.genops(stream)):
        name = operation.name
        if number > _MOST:
            raise ValueError("its pickle is far longer than that of a network")
        if name == "GLOBAL" and argument in _BYTES:
            raise ValueError("it makes room for bytes, which no weights need")
        if name in _PUT or name == "MEMOIZE":
            memo[len(memo) if name == "MEMOIZE" else argument] = stack[-1]
        elif name in _GET:
            stack.append(memo.get(argument, 1))
        elif name == "DUP":
            stack.append(stack[-1])
        else:
            _apply(operation, stack)
        if stack and stack[-1] > _LARGEST:
            raise ValueError("it has tuples in tuples, over and over the same")


_MARK = -1


def _apply(operation: pickletools.OpcodeInfo, stack: list[int]) -> None:
    """Any other operation: what it puts on the stack has the values of all that it takes."""
    if operation.name == "MARK":
        stack.append(_MARK)
        return
    taken = 1
    for kind in reversed(operation.stack_before):
        if kind is pickletools.stackslice:
            while (value := stack.pop()) != _MARK:
                taken += value
        elif kind is not pickletools.markobject:  # which went with the slice
            taken += stack.pop()
    stack.extend(taken for _ in operation.stack_after)

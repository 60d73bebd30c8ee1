"""A device that this machine need not have: it computes on the CPU, and is as strict as CUDA.

Its tensors say that they lie on `meta`, and carry their values with them. An operation that mixes
them with tensors of the CPU fails, as on CUDA; so does, within a run, to make a tensor on the CPU;
and what waits for the device is counted. (FakeTensorMode has a CUDA without a GPU, but no values,
so that no Progress can be made of it, and without CUDA's own library its autograd ends Python.)
"""

import sys

import torch
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

from kernel_demo.learning import devices

DEVICE = torch.device("meta")
aten = torch.ops.aten
COPIES = {aten._to_copy, aten.copy_}  # these alone may see both devices
# On CUDA the host waits for what these answer: a number, or how many elements there are.
ANSWERS = {
    aten._local_scalar_dense,
    aten.equal,
    aten.nonzero,
    aten.masked_select,
    aten._unique2,
    aten._linalg_check_errors,
}
INDEXING = {aten.index, aten.index_put_}


class MixedError(RuntimeError):
    """An operation on tensors of two devices."""


class HomelessError(RuntimeError):
    """A tensor made on the CPU: the run's device was forgotten."""


class Far(torch.Tensor):
    """A tensor elsewhere; `near` has its values, in the same storage as those of its views."""

    @staticmethod
    def __new__(cls, near: torch.Tensor):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            near.shape,
            strides=near.stride(),
            storage_offset=near.storage_offset(),
            dtype=near.dtype,
            device=DEVICE,
        )

    def __init__(self, near: torch.Tensor):
        self.near = near

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        raise AssertionError(f"{function} outside of elsewhere()")


class Elsewhere(TorchDispatchMode):
    """Within it a run computes on the strict device. Make the model before, on the CPU.

    waits: names each time the host waited for the device. types: of the tensors computed on it.
    """

    def __init__(self):
        super().__init__()
        self.waits = []
        self.types = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        far = any(isinstance(tensor, Far) for tensor in tensors)
        packet, asked = function.overloadpacket, kwargs.get("device")
        if far and packet not in COPIES:
            _refuse_mixed(function, tensors)
        goes = asked == DEVICE if asked is not None else far
        if not (tensors or goes) and _makes_tensors(function):
            raise HomelessError(f"{function} without the run's device")
        if _waits(packet, args, far and not goes):
            self.waits.append(str(function))
        near = tree_map(_near, (args, kwargs))
        # A conjugate is a mark on a view, which nothing reads down here: it is computed instead.
        compute = aten.conj_physical.default if packet is aten._conj else function
        result = compute(*near[0], **near[1])
        if not goes:
            return result
        result = tree_map(_far, result)
        self.types.update(leaf.dtype for leaf in tree_leaves(result) if isinstance(leaf, Far))
        return return_and_correct_aliasing(function, args, kwargs, result) if far else result


def _refuse_mixed(function, tensors) -> None:
    # CUDA takes a single number from the CPU along.
    strangers = [t for t in tensors if not isinstance(t, Far) and t.dim() > 0]
    if strangers:
        raise MixedError(f"{function} of the device's tensors and of one on the CPU")


def _makes_tensors(function) -> bool:
    return any("Tensor" in str(result.type) for result in function._schema.returns)


def _waits(packet, args, leaves: bool) -> bool:
    """leaves: from the device to the host."""
    far = any(isinstance(leaf, Far) for leaf in tree_leaves(args))
    chosen = tree_leaves(args[1]) if packet in INDEXING else []
    by_mask = any(isinstance(index, Far) and index.dtype == torch.bool for index in chosen)
    to_host = packet is aten.copy_ and not isinstance(args[0], Far)
    return far and (packet in ANSWERS or by_mask or to_host or (packet in COPIES and leaves))


def _near(leaf):
    if isinstance(leaf, Far):
        return leaf.near
    return torch.device("cpu") if isinstance(leaf, torch.device) else leaf


def _far(leaf):
    return Far(leaf) if isinstance(leaf, torch.Tensor) else leaf


def elsewhere(monkeypatch) -> Elsewhere:
    """The strict device, which the program takes for the best one of this machine."""
    monkeypatch.setattr(devices, "best", lambda: DEVICE)
    # torch's fused optimizers ask for a device that has them; ours has what the CPU has.
    asked = "_get_fused_kernels_supported_devices"
    monkeypatch.setattr(sys.modules["torch.optim.optimizer"], asked, lambda: ["cpu", DEVICE.type])
    return Elsewhere()

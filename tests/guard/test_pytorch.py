"""Switches of torch in versions that lack some of its private names."""

import pytest
import torch

from alharness.guard import pytorch


@pytest.mark.parametrize(
    ("owner", "private", "trait"),
    [
        (torch._C, "_pop_torch_dispatch_stack", "torch's modes of functions"),
        (torch._C, "_set_multithreading_enabled", "torch's threads of differentiation"),
        (torch._tensor_str, "PRINT_OPTS", "how torch prints"),
    ],
)
def test_a_switch_whose_private_name_is_gone_is_left_out(monkeypatch, owner, private, trait):
    before = [found.name for found in pytorch.traits()]
    monkeypatch.delattr(owner, private)
    after = [found.name for found in pytorch.traits()]
    assert sorted(before) == sorted([*after, trait])

"""Networks are trained in bfloat16 where that is fast, and in float32 elsewhere."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra pnc-link[train]")

from host.reference.efficientnet.published import published_tensors  # noqa: E402
from host.train.classifier.network import LiteNetwork  # noqa: E402
from host.train.precision import fast_type, reduced  # noqa: E402

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def capable_of(monkeypatch: pytest.MonkeyPatch, capability: str) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)


@pytest.mark.parametrize(
    ("capability", "expected"),
    [("AVX2", torch.float32), ("DEFAULT", torch.float32), ("NO AVX", torch.float32), ("AVX512", torch.bfloat16)],
)
def test_a_cpu_computes_in_the_type_it_is_fast_in(
    monkeypatch: pytest.MonkeyPatch, capability: str, expected: torch.dtype
) -> None:
    capable_of(monkeypatch, capability)
    assert fast_type(CPU) is expected
    with reduced(CPU):
        assert torch.nn.functional.linear(torch.ones(1, 2), torch.ones(2, 2)).dtype is expected
    assert fast_type(GPU) is torch.bfloat16


@pytest.mark.parametrize(("capability", "expected"), [("AVX2", torch.float32), ("AVX512", torch.bfloat16)])
def test_the_classifiers_maps_are_of_that_type(
    monkeypatch: pytest.MonkeyPatch, capability: str, expected: torch.dtype
) -> None:
    capable_of(monkeypatch, capability)
    tensors = {name: torch.from_numpy(t.copy()) for name, t in published_tensors("efficientnet-lite0").items()}
    maps, logits = LiteNetwork("efficientnet-lite0", tensors).maps_and_logits(torch.zeros(1, 224, 224, 3).byte(), (0,))
    assert (maps[0].dtype, logits.dtype) == (expected, torch.float32)

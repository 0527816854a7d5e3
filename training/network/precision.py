"""In which floating-point format a network trains."""

import torch


def precision_of(precision: str) -> str:
    """Lightning's word for `auto` on this machine. A processor without bf16 emulates it, 20 times slower than fp32."""
    if precision != "auto":
        return precision
    if torch.cuda.is_available():
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has_bf16 = bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
    return "bf16-mixed" if has_bf16 else "32-true"

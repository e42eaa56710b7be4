"""Arithmetic on neighbouring numbers at once, which the compiler does not find by itself.

LLVM cuts the vectors into whatever registers the processor has.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _adder(length: int) -> Any:
    """Compiled ``out[start : start + length] += factor * terms[:length]``, unchecked; contiguous float32."""
    vector = ir.VectorType(ir.FloatType(), length)
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), length), [0] * length)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        """Build the instructions: load ``length`` numbers, multiply, add and store them as one vector."""
        out, start, factor, terms = arguments
        target = context.make_array(signature.args[0])(context, builder, out).data
        source = context.make_array(signature.args[3])(context, builder, terms).data
        where = builder.bitcast(builder.gep(target, [start]), vector.as_pointer())
        one = builder.insert_element(ir.Constant(vector, ir.Undefined), factor, ir.IntType(32)(0))
        factors = builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)
        added = builder.load(builder.bitcast(source, vector.as_pointer()), align=4)
        product = builder.fmul(factors, added, flags=("contract",))
        builder.store(
            builder.fadd(builder.load(where, align=4), product, flags=("contract",)), where, align=4
        )
        return context.get_dummy_value()

    def typed(typing_context: Any, out: Any, start: Any, factor: Any, terms: Any) -> Any:
        del typing_context
        return types.void(out, types.int64, types.float32, terms), generate

    return intrinsic(typed)


add_scaled_4 = _adder(4)
add_scaled_16 = _adder(16)

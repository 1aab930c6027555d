#include "engine/tensor/rotary.h"

#include <optional>

#include "engine/tensor/cpu_rows.h"
#include "engine/tensor/gradient_calls.h"

namespace mirror::engine {

at::Tensor rotate(const at::Tensor& x, const RotaryTable& table, std::int64_t first_row) {
    if (!table.defined()) return x;
    if (const std::optional<at::Tensor> done = rotate_on_cpu(x, table, first_row)) return *done;
    if (gradient_calls().rotate != nullptr && wants_cpu_gradient(x))
        return gradient_calls().rotate(x, table, first_row);
    const at::Tensor turned = x.narrow(2, first_row, x.size(2) - first_row);
    const at::Tensor pairs = turned.unflatten(-1, {-1, 2});
    const at::Tensor swapped = at::stack({-pairs.select(-1, 1), pairs.select(-1, 0)}, -1).flatten(-2);
    const at::Tensor result =
        (turned.to(at::kFloat) * table.cos + swapped.to(at::kFloat) * table.sin).to(x.scalar_type());
    if (first_row == 0) return result;
    return at::cat({x.narrow(2, 0, first_row), result}, 2);
}

}  // namespace mirror::engine

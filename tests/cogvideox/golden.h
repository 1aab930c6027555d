#pragma once

// Comparison with reference values that diffusers' modules gave on the CPU in float32, written down with six decimals.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace mirror::engine::testing {

struct Golden {
    double sum = 0;
    double abs = 0;
    std::vector<double> first;
    std::vector<double> last;
};

// Float32 against float32 of another order of summation, through two blocks: 2e-5 an element. Sums cancel, so both are
// judged against the sum of magnitudes.
inline void expect_golden(const at::Tensor& tensor, const Golden& golden, double tolerance = 2e-5) {
    const at::Tensor flat = tensor.to(at::kDouble).flatten();
    const double magnitude = flat.abs().sum().item<double>();
    EXPECT_NEAR(flat.sum().item<double>(), golden.sum, 1e-5 * golden.abs + 1e-6);
    EXPECT_NEAR(magnitude, golden.abs, 1e-5 * golden.abs + 1e-6);
    for (std::size_t i = 0; i < golden.first.size(); ++i) {
        EXPECT_NEAR(flat[static_cast<std::int64_t>(i)].item<double>(), golden.first[i], tolerance) << "element " << i;
    }
    const auto tail = static_cast<std::int64_t>(golden.last.size());
    for (std::int64_t i = 0; i < tail; ++i) {
        EXPECT_NEAR(flat[flat.numel() - tail + i].item<double>(), golden.last[static_cast<std::size_t>(i)], tolerance)
            << "element " << i - tail << " from the end";
    }
}

}  // namespace mirror::engine::testing

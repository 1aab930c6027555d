#include "engine/tensor/rotary.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/deterministic.h"

namespace mirror::engine::testing {
namespace {

RotaryTable table_of(double angle_of_first_pair, double angle_of_second_pair, std::int64_t rows) {
    const at::Tensor angles =
        at::tensor({angle_of_first_pair, angle_of_first_pair, angle_of_second_pair, angle_of_second_pair}, at::kFloat)
            .expand({rows, 4});
    return {angles.cos(), angles.sin()};
}

TEST(Rotary, TurnsAdjacentPairs) {
    const at::Tensor x = at::tensor({1.0f, 0.0f, 0.0f, 1.0f}).view({1, 1, 1, 4});
    const at::Tensor turned = rotate(x, table_of(0.5, 0.25, 1), 0).flatten();
    // One float32 rounding.
    EXPECT_NEAR(turned[0].item<double>(), std::cos(0.5), 1e-7);
    EXPECT_NEAR(turned[1].item<double>(), std::sin(0.5), 1e-7);
    EXPECT_NEAR(turned[2].item<double>(), -std::sin(0.25), 1e-7);
    EXPECT_NEAR(turned[3].item<double>(), std::cos(0.25), 1e-7);
}

TEST(Rotary, LeavesTheRowsBeforeTheFirstAlone) {
    const at::Tensor x = deterministic_input("x", {2, 3, 7, 4});
    const at::Tensor turned = rotate(x, table_of(0.5, 0.25, 5), 2);
    EXPECT_TRUE(at::equal(turned.narrow(2, 0, 2), x.narrow(2, 0, 2)));
    EXPECT_TRUE(at::equal(turned.narrow(2, 2, 5), rotate(x.narrow(2, 2, 5), table_of(0.5, 0.25, 5), 0)));
    EXPECT_FALSE(at::equal(turned.narrow(2, 2, 5), x.narrow(2, 2, 5)));
}

TEST(Rotary, WithoutATableNothingChanges) {
    const at::Tensor x = deterministic_input("x", {2, 3, 7, 4});
    EXPECT_TRUE(at::equal(rotate(x, {}, 2), x));
}

TEST(Rotary, SixteenBitsAreRoundedOnce) {
    const at::Tensor x = deterministic_input("x", {1, 2, 5, 4}).to(at::kBFloat16);
    const RotaryTable table = table_of(0.5, 0.25, 5);
    const at::Tensor turned = rotate(x, table, 0);
    EXPECT_EQ(turned.scalar_type(), at::kBFloat16);
    EXPECT_TRUE(at::equal(turned, rotate(x.to(at::kFloat), table, 0).to(at::kBFloat16)));
}

}  // namespace
}  // namespace mirror::engine::testing

// Memory that tensors had goes to the next ones of that size, is never more than was in use at once, and goes back when
// asked.

#include "engine/tensor/recycled_memory.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace mirror::engine {
namespace {

constexpr std::int64_t kMebibyte = 1 << 20;

at::Tensor piece(std::int64_t mebibytes) { return at::empty({mebibytes * kMebibyte}, at::kByte); }

class RecycledMemoryTest : public ::testing::Test {
protected:
    void SetUp() override {
        recycle_cpu_memory();
        release_recycled_memory();
        before_ = recycled_memory();
    }

    RecycledMemory before_;
};

TEST_F(RecycledMemoryTest, GivesTheSamePieceAgain) {
    at::Tensor first = piece(8);
    const void* const place = first.const_data_ptr();
    EXPECT_EQ(recycled_memory().in_use, before_.in_use + 8 * kMebibyte);
    first.reset();
    EXPECT_EQ(recycled_memory().kept, 8U * kMebibyte);
    EXPECT_EQ(piece(8).const_data_ptr(), place);
    EXPECT_EQ(recycled_memory().in_use, before_.in_use);
}

TEST_F(RecycledMemoryTest, StaysBelowTheMostInUse) {
    { const at::Tensor a = piece(8), b = piece(4); }
    const std::uint64_t most = recycled_memory().most_in_use;
    EXPECT_EQ(recycled_memory().kept, 12U * kMebibyte);
    {
        const at::Tensor other = piece(5);  // Fits neither: one of the two has to go.
        EXPECT_LE(recycled_memory().in_use + recycled_memory().kept, most);
        EXPECT_EQ(recycled_memory().most_in_use, most);
    }
    { const at::Tensor large = piece(600); }
    EXPECT_LE(recycled_memory().kept, 512U * kMebibyte);
}

TEST_F(RecycledMemoryTest, GoesBackWhenAsked) {
    { const at::Tensor a = piece(8); }
    release_recycled_memory();
    EXPECT_EQ(recycled_memory().kept, 0U);
    EXPECT_EQ(recycled_memory().most_in_use, recycled_memory().in_use);
}

TEST_F(RecycledMemoryTest, LeavesSmallTensorsAlone) {
    const at::Tensor small = at::empty({1000}, at::kByte);
    EXPECT_EQ(recycled_memory().in_use, before_.in_use);
}

TEST_F(RecycledMemoryTest, ServesOperatorsThatAllocateByAddress) {
    const at::Tensor x = at::ones({1, 64, 64, 64}, at::kBFloat16);
    const at::Tensor weight = at::ones({64, 64, 3, 3}, at::kBFloat16);
    EXPECT_EQ(at::conv2d(x, weight, {}, 1, 1)[0][0][5][5].item<float>(), 576.0F);
    at::Tensor grown = piece(2);
    grown.resize_({3 * kMebibyte});
    EXPECT_EQ(grown.numel(), 3 * kMebibyte);
}

}  // namespace
}  // namespace mirror::engine

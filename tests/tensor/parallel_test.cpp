// Work on libtorch's threads: everything once, on several threads where they are there, one inside another region.

#include "engine/tensor/parallel.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace mirror::engine {
namespace {

class ParallelFor : public ::testing::Test {
protected:
    void SetUp() override { at::set_num_threads(2); }
    void TearDown() override { at::set_num_threads(before_); }

    int before_ = at::get_num_threads();
};

TEST_F(ParallelFor, CoversEveryIndexOnce) {
    for (const std::int64_t count : {0, 1, 2, 7, 100, 1001}) {
        for (const std::int64_t piece : {1, 3, 64, 5000}) {
            std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
            parallel_for(count, piece, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
            });
            for (const auto& visit : visits) EXPECT_EQ(visit, 1);
        }
    }
}

TEST_F(ParallelFor, UsesSeveralThreads) {
    std::mutex mutex;
    std::set<std::thread::id> threads;
    parallel_for(40, 1, [&](std::int64_t, std::int64_t) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        const std::lock_guard lock(mutex);
        threads.insert(std::this_thread::get_id());
    });
    EXPECT_EQ(threads.size(), 2U);
}

TEST_F(ParallelFor, StaysOnTheThreadInsideAnotherRegion) {
    std::atomic<bool> stayed = true;
    parallel_for(8, 1, [&](std::int64_t, std::int64_t) {
        const auto here = std::this_thread::get_id();
        parallel_for(8, 1, [&](std::int64_t, std::int64_t) { stayed = stayed && std::this_thread::get_id() == here; });
    });
    EXPECT_TRUE(stayed);
}

TEST_F(ParallelFor, HandsOverWhatIsThrown) {
    EXPECT_THROW(parallel_for(100, 1,
                              [](std::int64_t begin, std::int64_t) {
                                  if (begin == 42) throw std::runtime_error("no");
                              }),
                 std::runtime_error);
}

}  // namespace
}  // namespace mirror::engine

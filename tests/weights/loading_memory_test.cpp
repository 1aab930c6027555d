// Loading never holds a checkpoint twice: what is cast leaves its file's pages behind, tensor by tensor.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "engine/core/durable_replace.h"
#include "engine/core/result.h"
#include "engine/formats/shard_index.h"
#include "engine/weights/tensor_file.h"
#include "engine/weights/weight_store.h"
#include "tests/support/scratch_folder.h"
#include "tests/weights/resident_memory.h"

namespace mirror::engine {
namespace {

constexpr std::int64_t kTensors = 24;
constexpr std::int64_t kSide = 1024;
// Half of the smallest checkpoint here, so that a second copy cannot hide in it: headers, 64 KiB that the kernel maps
// around each end of a tensor, and code of the library that the first run brings in (12 MiB were seen).
constexpr double kSmall = 24.0 * 1048576;

std::string name_of(std::int64_t index) { return "layer." + std::to_string(index) + ".weight"; }

void write_checkpoint(const std::filesystem::path& folder, at::ScalarType dtype, std::int64_t shards) {
    std::map<std::string, std::string> index;
    for (std::int64_t shard = 0; shard < shards; ++shard) {
        const std::string file = shards == 1 ? "model.safetensors" : "model-" + std::to_string(shard) + ".safetensors";
        TensorMap tensors;
        for (std::int64_t i = shard; i < kTensors; i += shards) {
            tensors[name_of(i)] = at::full({kSide, kSide}, static_cast<double>(i), dtype);
            index[name_of(i)] = file;
        }
        save_tensors(folder / file, tensors);
    }
    if (shards > 1)
        value_or_throw(durable_replace(folder / "model.safetensors.index.json", formats::shard_index_json(index, 0)));
}

void check_loading(at::ScalarType stored, at::ScalarType wanted, std::int64_t shards) {
    SCOPED_TRACE(std::string(c10::toString(stored)) + " to " + c10::toString(wanted) + " of " + std::to_string(shards));
    const mirror::testing::ScratchFolder scratch;
    write_checkpoint(scratch.path(), stored, shards);
    const double values = static_cast<double>(kSide * kSide);
    const double resident = static_cast<double>(kTensors) * values * static_cast<double>(c10::elementSize(wanted));
    const double one = values * static_cast<double>(c10::elementSize(stored));

    testing::reset_peak_memory();
    const double before = testing::resident_memory();
    std::vector<at::Tensor> held;
    {
        WeightStoreOptions options;
        options.finite = true;
        const WeightScope weights(WeightStore::open(scratch.path(), "model", options), {wanted, at::kCPU});
        for (std::int64_t i = 0; i < kTensors; ++i) held.push_back(weights.tensor(name_of(i), {kSide, kSide}));
    }
    EXPECT_LT(testing::peak_memory() - before, resident + one + kSmall);
    EXPECT_LT(testing::resident_memory() - before, resident + kSmall);
    for (std::int64_t i = 0; i < kTensors; ++i) EXPECT_EQ(held[static_cast<std::size_t>(i)][5][7].item<double>(), i);
    held.clear();
    if (stored == wanted) {
        EXPECT_LT(testing::resident_memory() - before, kSmall);
    }
}

TEST(LoadingMemory, NeverHoldsACheckpointTwice) {
    for (const auto stored : {at::kFloat, at::kBFloat16, at::kHalf})
        for (const auto wanted : {at::kFloat, at::kBFloat16})
            for (const std::int64_t shards : {1, 5}) check_loading(stored, wanted, shards);
}

TEST(LoadingMemory, AStopIsSeenAtTheNextTensor) {
    const mirror::testing::ScratchFolder scratch;
    write_checkpoint(scratch.path(), at::kFloat, 1);
    std::stop_source stop;
    WeightStoreOptions options;
    options.stop = stop.get_token();
    const auto store = WeightStore::open(scratch.path(), "model", options);
    EXPECT_NO_THROW(store->read(name_of(0), {kSide, kSide}));
    stop.request_stop();
    try {
        store->read(name_of(1), {kSide, kSide});
        ADD_FAILURE() << "not stopped";
    } catch (const EngineError& error) {
        EXPECT_EQ(error.code(), ErrorCode::Cancelled);
    }
}

}  // namespace
}  // namespace mirror::engine

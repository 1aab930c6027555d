// Layers that are read from the checkpoint while they are used: the same numbers, few of them in memory, and what goes
// wrong comes out.

#include "engine/weights/layer_stack.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "engine/core/result.h"
#include "engine/weights/tensor_file.h"
#include "engine/weights/weight_store.h"
#include "tests/support/scratch_folder.h"
#include "tests/weights/resident_memory.h"

namespace mirror::engine {
namespace {

constexpr std::int64_t kLayers = 6;
constexpr std::int64_t kSide = 1024;  // 4 MiB in float32.
constexpr double kMiB = 1048576;

struct Layer {
    Layer(const WeightScope& weights, std::int64_t index)
        : weight((weights / index).tensor("weight", {kSide, kSide})) {}
    at::Tensor weight;
};

class LayerStackTest : public ::testing::Test {
protected:
    LayerStackTest() {
        TensorMap tensors;
        for (std::int64_t i = 0; i < kLayers; ++i)
            tensors[std::to_string(i) + ".weight"] = at::full({kSide, kSide}, static_cast<double>(i) + 0.5);
        save_tensors(file(), tensors);
    }

    std::filesystem::path file() const { return scratch_.path() / "model.safetensors"; }
    LayerStack<Layer> stack(LayersHeld held, at::ScalarType dtype = at::kFloat, std::stop_token stop = {}) const {
        WeightStoreOptions options;
        options.finite = true;
        options.stop = std::move(stop);
        options.bring_in = held != LayersHeld::All;
        return {WeightScope(WeightStore::open(file(), "model", options), {dtype, at::kCPU, held}), kLayers,
                [](const WeightScope& weights, std::int64_t index) { return Layer(weights, index); }};
    }
    static std::vector<float> sums(const LayerStack<Layer>& layers) {
        std::vector<float> all;
        layers.for_each([&](const Layer& layer, std::int64_t index) {
            EXPECT_EQ(static_cast<std::size_t>(index), all.size());
            all.push_back(layer.weight.to(at::kFloat).mean().item<float>());
        });
        return all;
    }

    mirror::testing::ScratchFolder scratch_;
};

TEST_F(LayerStackTest, EveryWayOfHoldingGivesTheSameLayersInOrder) {
    for (const auto dtype : {at::kFloat, at::kBFloat16}) {
        const auto all = sums(stack(LayersHeld::All, dtype));
        EXPECT_EQ(all.size(), static_cast<std::size_t>(kLayers));
        EXPECT_EQ(all[2], 2.5F);
        for (const auto held : {LayersHeld::Two, LayersHeld::One}) {
            const auto streamed = stack(held, dtype);
            EXPECT_EQ(sums(streamed), all);
            EXPECT_EQ(sums(streamed), all);  // And again, as every step does.
        }
    }
}

TEST_F(LayerStackTest, OnlyTheLayersInUseAreInMemory) {
    for (const auto dtype : {at::kFloat, at::kBFloat16}) {
        for (const auto held : {LayersHeld::Two, LayersHeld::One}) {
            const auto streamed = stack(held, dtype);
            sums(streamed);
            testing::reset_peak_memory();
            const double before = testing::resident_memory();
            sums(streamed);
            // The layers held and, of a cast one, the file's tensor; and the float32 copy that sums() makes.
            const double layers = held == LayersHeld::Two ? 2 : 1;
            EXPECT_LT(testing::peak_memory() - before, (layers + 2) * 4 * kMiB + 10 * kMiB);
        }
    }
}

TEST_F(LayerStackTest, AMissingLayerIsFoundBeforeTheFirstIsUsed) {
    TensorFile content = load_tensor_file(file());
    content.tensors.erase("4.weight");
    save_tensors(file(), content.tensors);
    try {
        stack(LayersHeld::Two);
        ADD_FAILURE() << "accepted";
    } catch (const EngineError& error) {
        EXPECT_EQ(error.code(), ErrorCode::MissingTensor);
        EXPECT_NE(std::string(error.what()).find("4.weight"), std::string::npos) << error.what();
    }
}

TEST_F(LayerStackTest, AStopEndsBetweenTwoLayers) {
    for (const auto held : {LayersHeld::Two, LayersHeld::One}) {
        std::stop_source stop;
        const auto streamed = stack(held, at::kFloat, stop.get_token());
        std::int64_t used = 0;
        try {
            streamed.for_each([&](const Layer&, std::int64_t) {
                ++used;
                stop.request_stop();
            });
            ADD_FAILURE() << "not stopped";
        } catch (const EngineError& error) {
            EXPECT_EQ(error.code(), ErrorCode::Cancelled);
        }
        EXPECT_LE(used, 2);  // One more may have been read ahead.
    }
}

TEST_F(LayerStackTest, WhatAUserThrowsPassesThroughAndTheReaderIsGone) {
    const auto streamed = stack(LayersHeld::Two);
    EXPECT_THROW(streamed.for_each([](const Layer&, std::int64_t) { throw std::runtime_error("enough"); }),
                 std::runtime_error);
    EXPECT_EQ(sums(streamed).size(), static_cast<std::size_t>(kLayers));
}

TEST_F(LayerStackTest, AFileThatBecameShorterIsASentence) {
    const auto streamed = stack(LayersHeld::Two);
    std::filesystem::resize_file(file(), std::filesystem::file_size(file()) - 3 * kSide * kSide * 4);
    try {
        sums(streamed);
        GTEST_SKIP() << "this kernel cannot tell";
    } catch (const EngineError& error) {
        EXPECT_EQ(error.code(), ErrorCode::MalformedFile);
        EXPECT_NE(std::string(error.what()).find("cut off"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace mirror::engine

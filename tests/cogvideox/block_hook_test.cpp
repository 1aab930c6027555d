#include "engine/backbones/block_hook.h"

#include <gtest/gtest.h>

#include <array>

#include "engine/backbones/cogvideox/transformer.h"
#include "engine/core/result.h"
#include "tests/cogvideox/tiny_models.h"
#include "tests/support/deterministic.h"

namespace mirror::engine::testing {
namespace {

using cogvideox::Block;
using cogvideox::Transformer;
using cogvideox::TransformerInput;

class BlockHooks : public ::testing::Test {
protected:
    BlockHooks() : transformer(deterministic_weights(), tiny_5b()) {
        input.hidden_states = deterministic_input("input.hidden_states", {2, 3, 4, 8, 8});
        input.encoder_hidden_states = deterministic_input("input.encoder_hidden_states", {2, 8, 8});
        input.timestep = at::tensor({999, 421}, at::kLong);
        input.step = 7;
    }

    at::Tensor run(BlockHook& hook) {
        const std::array<BlockHook*, 1> hooks{&hook};
        return transformer.forward(input, hooks);
    }

    Transformer transformer;
    TransformerInput input;
};

TEST_F(BlockHooks, AHookThatDoesNothingChangesNoBit) {
    BlockHook idle;
    EXPECT_TRUE(at::equal(run(idle), transformer.forward(input)));
}

// Runs every block out of its parts, as a method does whose strength is zero.
class RebuildsBlocks : public BlockHook {
public:
    bool takes_over(int) const override { return true; }
    void run_block(const Block& block, int, ForwardState& state) override {
        const std::int64_t text = state.text.size(1);
        const std::int64_t video = state.video.size(1);
        const auto first = block.norm1.modulation(state.temb);
        const at::Tensor rows = at::cat(
            {modulate(state.text, block.norm1.norm, first.text), modulate(state.video, block.norm1.norm, first.video)},
            1);
        const auto heads = rotate_heads(block.normalise_heads(block.project_qkv(rows)), state.rotary, text);
        const at::Tensor attended = block.project_out(attention(heads.query, heads.key, heads.value));
        state.text = cogvideox::add_gated(state.text, first.text.gate, attended.narrow(1, 0, text));
        state.video = cogvideox::add_gated(state.video, first.video.gate, attended.narrow(1, text, video));
        const auto second = block.norm2.modulation(state.temb);
        const at::Tensor fed = block.feed_forward(at::cat({modulate(state.text, block.norm2.norm, second.text),
                                                           modulate(state.video, block.norm2.norm, second.video)},
                                                          1));
        state.text = cogvideox::add_gated(state.text, second.text.gate, fed.narrow(1, 0, text));
        state.video = cogvideox::add_gated(state.video, second.video.gate, fed.narrow(1, text, video));
    }
};

TEST_F(BlockHooks, ABlockRunOutOfItsPartsIsTheBlockBitForBit) {
    RebuildsBlocks rebuilds;
    EXPECT_TRUE(at::equal(run(rebuilds), transformer.forward(input)));
}

class Records : public BlockHook {
public:
    void before_blocks(ForwardState& state) override { calls.push_back("step " + std::to_string(state.step)); }
    void before_block(int block, ForwardState&) override { calls.push_back("before " + std::to_string(block)); }
    void after_block(int block, ForwardState&) override { calls.push_back("after " + std::to_string(block)); }
    void after_blocks(ForwardState&) override { calls.push_back("end"); }
    bool takes_over(int block) const override { return block == 1; }
    void run_block(const Block& block, int index, ForwardState& state) override {
        calls.push_back("run " + std::to_string(index));
        block.forward(state);
    }
    std::vector<std::string> calls;
};

TEST_F(BlockHooks, AreCalledInOrder) {
    Records records;
    EXPECT_TRUE(at::equal(run(records), transformer.forward(input)));
    EXPECT_EQ(records.calls,
              (std::vector<std::string>{"step 7", "before 0", "after 0", "before 1", "run 1", "after 1", "end"}));
}

class AddsAResidual : public BlockHook {
public:
    void after_block(int block, ForwardState& state) override {
        if (block == 0) state.video = state.video + 1;
    }
};

TEST_F(BlockHooks, MayChangeTheStreams) {
    AddsAResidual adds;
    EXPECT_FALSE(at::allclose(run(adds), transformer.forward(input)));
}

TEST_F(BlockHooks, TwoOwnersOfABlockAreRefused) {
    RebuildsBlocks one;
    RebuildsBlocks two;
    const std::array<BlockHook*, 2> hooks{&one, &two};
    EXPECT_THROW(transformer.forward(input, hooks), EngineError);
}

}  // namespace
}  // namespace mirror::engine::testing

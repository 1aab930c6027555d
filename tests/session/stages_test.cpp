// Every stage on the tiny checkpoint: it runs, writes what its table says, writes the same bytes twice, and names what
// is wrong.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>

#include "engine/session/run_stage.h"
#include "engine/weights/tensor_file.h"
#include "tests/session/tiny_checkpoint.h"

namespace mirror::engine::testing {

namespace {

struct StageCase {
    std::string stage;
    TensorMap inputs;
    std::vector<std::string> outputs;
    std::function<void(StageOptions&)> options = [](StageOptions&) {};
};

at::Tensor wave(at::IntArrayRef shape) {
    const std::int64_t count = c10::multiply_integers(shape);
    return at::sin(at::arange(count, at::kFloat) * 0.7).reshape(shape);
}

at::Tensor integers(const std::vector<std::int64_t>& values) { return at::tensor(values, at::kLong); }

std::filesystem::path adapter() { return tiny_checkpoint() / "adapter" / "adapter.safetensors"; }

void with_adapter(StageOptions& options) { options.adapter = adapter(); }

void short_video(StageOptions& options) { options.steps = 2; }

void person_video(StageOptions& options) {
    with_adapter(options);
    short_video(options);
}

// Sizes of the tiny preset: 4 latent channels, text width 48, 16 tokens, DiT width 64, CLIP 32 wide with 17 tokens.
std::vector<StageCase> every_stage() {
    const TensorMap video{{"latents", wave({1, 3, 4, 4, 4})},
                          {"prompt_embeds", wave({1, 16, 48})},
                          {"negative_prompt_embeds", wave({1, 16, 48}) * 0.5},
                          {"noises", wave({2, 2, 1, 3, 4, 4, 4})}};
    TensorMap person = video;
    person["id_embeds"] = wave({1, 2, 32});
    person["face_tokens"] = wave({1, 4, 64});
    const TensorMap block{{"hidden_states", wave({2, 3, 4, 4, 4})},
                          {"encoder_hidden_states", wave({2, 16, 48})},
                          {"timestep", integers({999, 20})}};
    TensorMap person_block = block;
    person_block["id_embeds"] = wave({1, 2, 32});
    person_block["face_tokens"] = wave({1, 4, 64});
    person_block["adapter_mask"] = integers({0, 1});
    return {
        {"tokenize",
         {},
         {"input_ids"},
         [](StageOptions& o) {
             o.texts = {"a man", "rain"};
         }},
        {"t5", {{"input_ids", integers({4, 5, 1, 0}).unsqueeze(0)}}, {"last_hidden_state"}},
        {"transformer", block, {"sample"}},
        {"vae-encode", {{"sample", wave({1, 3, 9, 16, 16})}}, {"logvar", "mean"}},
        {"vae-decode", {{"latents", wave({1, 4, 3, 2, 2})}}, {"sample"}, [](StageOptions& o) { o.tiling = true; }},
        {"scheduler",
         {{"sample", wave({1, 5})}, {"model_outputs", wave({2, 1, 5})}, {"noises", wave({2, 2, 1, 5})}},
         {"prev_samples", "timesteps"},
         short_video},
        {"t2v", video, {"frames", "latents"}, short_video},
        {"clip-vision", {{"pixel_values", wave({1, 3, 32, 32})}}, {"last_hidden_state", "penultimate"}},
        {"perceiver-id", {{"face_embedding", wave({2, 16})}, {"last_hidden_state", wave({2, 17, 32})}}, {"id_embeds"}},
        {"perceiver-face", {{"penultimate", wave({2, 17, 32})}}, {"face_tokens"}, with_adapter},
        {"fuse",
         {{"prompt_embeds", wave({1, 4, 48})},
          {"id_embeds", wave({1, 2, 32})},
          {"identity_mask", integers({0, 1, 1, 0}).unsqueeze(0)}},
         {"prompt_embeds"},
         with_adapter},
        {"can",
         {{"id_embeds", wave({1, 2, 32})}, {"temb", wave({2, 32})}},
         {"base", "delta", "face_modulation", "id_vector", "modulation"},
         with_adapter},
        {"mm-transformer", person_block, {"sample"}, with_adapter},
        {"mm-tokenize",
         {},
         {"identity_mask", "input_ids", "plain_input_ids"},
         [](StageOptions& o) {
             o.texts = {"a man img"};
             o.max_length = 32;
         }},
        {"mm-t2v", person, {"frames", "latents"}, person_video},
    };
}

std::string bytes_of(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

class StageTest : public ::testing::Test {
protected:
    StageJob job(const StageCase& stage, const std::string& output) {
        StageJob job;
        job.stage = stage.stage;
        job.model = tiny_checkpoint();
        job.outputs = folder_.path() / output;
        stage.options(job.options);
        if (!stage.inputs.empty()) {
            job.inputs = folder_.path() / "in.safetensors";
            save_tensors(job.inputs, stage.inputs);
        }
        return job;
    }

    std::string failure(const StageJob& job) {
        const auto result = run_stage(job, {});
        EXPECT_FALSE(std::filesystem::exists(job.outputs)) << job.stage;
        return result ? "" : result.error().detail;
    }

    static StageCase stage(const std::string& name) {
        for (StageCase& stage : all_)
            if (stage.stage == name) return stage;
        throw std::logic_error("no stage " + name);
    }

    TemporaryFolder folder_;
    static inline std::vector<StageCase> all_ = every_stage();
};

}  // namespace

TEST_F(StageTest, EveryStageWritesItsOutputsAndTheSameBytesTwice) {
    for (const StageCase& stage : all_) {
        const auto first = run_stage(job(stage, "first"), {});
        ASSERT_TRUE(first) << stage.stage << ": " << first.error().detail;
        const auto second = run_stage(job(stage, "second"), {});
        ASSERT_TRUE(second) << stage.stage << ": " << second.error().detail;
        std::vector<std::string> names;
        for (const auto& [name, tensor] : load_tensors(folder_.path() / "first")) {
            names.push_back(name);
            const bool exact = tensor.scalar_type() == at::kLong || at::isfinite(tensor).all().item<bool>();
            EXPECT_TRUE(exact) << stage.stage << ": " << name;
        }
        EXPECT_EQ(names, stage.outputs) << stage.stage;
        EXPECT_EQ(bytes_of(folder_.path() / "first"), bytes_of(folder_.path() / "second")) << stage.stage;
    }
}

TEST_F(StageTest, BfloatResultsAreWrittenAsFloat32) {
    for (const char* name : {"t5", "transformer", "vae-decode", "t2v", "mm-t2v", "clip-vision"}) {
        StageJob half = job(stage(name), "half");
        half.options.dtype = Precision::Bf16;
        const auto result = run_stage(half, {});
        ASSERT_TRUE(result) << name << ": " << result.error().detail;
        for (const auto& [tensor_name, tensor] : load_tensors(half.outputs))
            EXPECT_EQ(tensor.scalar_type(), at::kFloat) << name << ": " << tensor_name;
        std::filesystem::remove(half.outputs);
    }
}

TEST_F(StageTest, EveryMissingInputIsNamed) {
    for (const StageCase& whole : all_) {
        for (const auto& [name, tensor] : whole.inputs) {
            if (name == "adapter_mask" || tensor.dim() == 1) continue;  // Optional; already flat.
            StageCase broken = whole;
            broken.inputs.erase(name);
            if (broken.inputs.empty()) broken.inputs["unrelated"] = at::zeros({1});
            EXPECT_NE(failure(job(broken, "out")).find("'" + name + "'"), std::string::npos)
                << whole.stage << ": " << name;
            broken.inputs[name] = tensor.flatten();
            EXPECT_NE(failure(job(broken, "out")).find("'" + name + "'"), std::string::npos)
                << whole.stage << ": " << name;
        }
    }
}

TEST_F(StageTest, InputsOfOtherDtypesAreCastOrRefused) {
    StageCase block = stage("transformer");
    block.inputs["hidden_states"] = block.inputs["hidden_states"].to(at::kHalf);
    block.inputs["nobody_knows_this"] = at::zeros({3});
    EXPECT_TRUE(run_stage(job(block, "out"), {}));
    std::filesystem::remove(folder_.path() / "out");
    block.inputs["timestep"] = integers({999, 20}).to(at::kInt);
    EXPECT_NE(failure(job(block, "out")).find("'timestep'"), std::string::npos);
    block = stage("transformer");
    block.inputs["hidden_states"] = block.inputs["hidden_states"].to(at::kDouble);
    EXPECT_NE(failure(job(block, "out")).find("'hidden_states'"), std::string::npos);
}

TEST_F(StageTest, ImpossibleOptionsAreNamed) {
    const auto refused = [&](const char* name, const std::function<void(StageOptions&)>& change) {
        StageJob wrong = job(stage(name), "out");
        change(wrong.options);
        return failure(wrong);
    };
    const auto names = [](const std::string& sentence, const std::string& word) {
        return sentence.find(word) != std::string::npos && sentence.size() < 300;
    };
    EXPECT_TRUE(names(refused("t2v", [](StageOptions& o) { o.steps = 0; }), "--steps"));
    EXPECT_TRUE(names(refused("scheduler", [](StageOptions& o) { o.steps = 0; }), "--steps"));
    EXPECT_TRUE(names(refused("t2v", [](StageOptions& o) { o.guidance = std::nan(""); }), "--guidance"));
    EXPECT_TRUE(names(refused("t2v", [](StageOptions& o) { o.frames = 0; }), "--frames"));
    EXPECT_TRUE(names(refused("t2v", [](StageOptions& o) { o.frames = 49; }), "--frames"));
    EXPECT_TRUE(names(refused("tokenize", [](StageOptions& o) { o.max_length = 0; }), "--max-length"));
    EXPECT_TRUE(names(refused("mm-tokenize", [](StageOptions& o) { o.references = 0; }), "--references"));
    EXPECT_TRUE(names(refused("fuse", [](StageOptions& o) { o.switches = {"face_scala=1"}; }), "face_scala"));
    EXPECT_TRUE(names(refused("fuse", [](StageOptions& o) { o.switches = {"can=maybe"}; }), "can"));
    EXPECT_TRUE(names(refused("fuse", [](StageOptions& o) { o.switches = {"face_ln=own"}; }), "face_ln"));
    EXPECT_TRUE(names(refused("fuse", [](StageOptions& o) { o.id_pack = "somebody"; }), "id_pack"));
    EXPECT_TRUE(names(refused("fuse", [](StageOptions& o) { o.device = "cuda:99"; }), "cuda:99"));
}

TEST_F(StageTest, SwitchesAndPacksReachTheAdapter) {
    StageCase everywhere = stage("mm-transformer");
    everywhere.inputs.erase("adapter_mask");
    StageJob one = job(everywhere, "one");
    StageJob other = one;
    other.outputs = folder_.path() / "other";
    other.options.switches = {"face_scale=0", "can_scale=0", "sa_scale=0"};
    other.options.id_pack = "somebody";
    other.options.allow_id_pack_mismatch = true;
    ASSERT_TRUE(run_stage(one, {}));
    ASSERT_TRUE(run_stage(other, {}));
    StageCase base = stage("transformer");
    ASSERT_TRUE(run_stage(job(base, "base"), {}));
    const at::Tensor off = load_tensors(other.outputs).at("sample");
    EXPECT_TRUE(at::equal(off, load_tensors(folder_.path() / "base").at("sample")));
    EXPECT_FALSE(at::equal(off, load_tensors(one.outputs).at("sample")));
}

TEST_F(StageTest, RowsWithoutTheAdapterAreTheBaseModel) {
    ASSERT_TRUE(run_stage(job(stage("mm-transformer"), "mm"), {}));
    StageCase alone = stage("transformer");  // The row by itself: other batches round differently.
    for (auto& [name, tensor] : alone.inputs) tensor = tensor.narrow(0, 0, 1).contiguous();
    ASSERT_TRUE(run_stage(job(alone, "base"), {}));
    ASSERT_TRUE(run_stage(job(stage("transformer"), "both"), {}));
    const at::Tensor with = load_tensors(folder_.path() / "mm").at("sample");
    EXPECT_TRUE(at::equal(with[0], load_tensors(folder_.path() / "base").at("sample")[0]));
    EXPECT_FALSE(at::allclose(with[1], load_tensors(folder_.path() / "both").at("sample")[1]));
}

TEST_F(StageTest, AStopLeavesNoFile) {
    std::stop_source stop;
    stop.request_stop();
    const StageJob video = job(stage("t2v"), "out");
    const auto result = run_stage(video, stop.get_token());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::Cancelled);
    EXPECT_FALSE(std::filesystem::exists(video.outputs));
}

TEST_F(StageTest, InputsAreNotOverwritten) {
    StageJob video = job(stage("t5"), "out");
    video.outputs = video.inputs;
    const std::string before = bytes_of(video.inputs);
    EXPECT_FALSE(run_stage(video, {}));
    EXPECT_EQ(bytes_of(video.inputs), before);
    video.outputs = tiny_checkpoint() / "transformer" / "config.json";
    EXPECT_FALSE(run_stage(video, {}));
}

TEST_F(StageTest, ATextModelCannotStartFromAnImage) {
    StageCase image = stage("t2v");
    image.stage = "i2v";
    EXPECT_NE(failure(job(image, "out")).find("in_channels"), std::string::npos);
}

}  // namespace mirror::engine::testing

// Checkpoints made on the spot: every model can be constructed from them, and their sizes are the published ones.

#include "engine/session/random_checkpoint.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "engine/backbones/cogvideox/transformer.h"
#include "engine/face/recognizer_network.h"
#include "engine/identity/magic_mirror/adapter.h"
#include "engine/identity/magic_mirror/adapter_file.h"
#include "engine/identity/magic_mirror/clip_vision.h"
#include "engine/identity/magic_mirror/perceiver_id.h"
#include "engine/session/checkpoint_preset.h"
#include "engine/session/random_tensor_file.h"
#include "engine/session/random_values.h"
#include "engine/text/t5_encoder.h"
#include "engine/text/tokenizer.h"
#include "engine/vae/cogvideox_vae.h"
#include "engine/weights/config_reader.h"
#include "engine/weights/weight_store.h"
#include "tests/support/scratch_folder.h"

namespace mirror::engine {
namespace {

namespace fs = std::filesystem;
using magic_mirror::AdapterFile;
using mirror::testing::ScratchFolder;

std::map<std::string, std::string> files_below(const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream in(entry.path(), std::ios::binary);
        std::ostringstream text;
        text << in.rdbuf();
        files[fs::relative(entry.path(), folder).string()] = text.str();
    }
    return files;
}

ConfigReader config_of(const CheckpointPreset& preset, const std::string& part) {
    return ConfigReader::parse(preset.files.at(part + "/config.json"), part);
}

template <typename Model, typename Config>
std::shared_ptr<ShapeRecorder> recorded(const Config& config) {
    auto recorder = std::make_shared<ShapeRecorder>();
    const Model model(WeightScope(recorder, {}), config);
    return recorder;
}

struct Counts {
    std::int64_t transformer, clip, perceiver_id, text_encoder, adapter;
};

Counts counts_of(const std::string& name) {
    const auto preset = CheckpointPreset::find(name);
    return {
        recorded<cogvideox::Transformer>(cogvideox::read_transformer_config(config_of(preset, "transformer")))
            ->parameter_count(),
        recorded<magic_mirror::ClipVision>(magic_mirror::read_clip_vision_config(config_of(preset, "image_encoder")))
            ->parameter_count(),
        recorded<magic_mirror::PerceiverId>(magic_mirror::read_perceiver_id_config(config_of(preset, "id_perceiver")))
            ->parameter_count(),
        recorded<T5Encoder>(T5Config::read(config_of(preset, "text_encoder")))->parameter_count(),
        magic_mirror::parameter_count(magic_mirror::adapter_tensors(preset.adapter))};
}

// One tiny checkpoint for all tests of this program.
class TinyCheckpoint : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        folder_ = new ScratchFolder();
        const Status status = init_checkpoint("tiny", 7, model());
        ASSERT_TRUE(status.ok()) << status.error().detail;
    }
    static void TearDownTestSuite() { delete folder_; }
    static fs::path model() { return folder_->path() / "model"; }

    static ScratchFolder* folder_;
};
ScratchFolder* TinyCheckpoint::folder_ = nullptr;

template <typename Model, typename Config>
void expect_reads_all(const fs::path& folder, const std::string& stem, const Config& config) {
    const auto store = WeightStore::open(folder, stem);
    const Model model(WeightScope(store, {}), config);
    EXPECT_EQ(store->unread(), std::vector<std::string>{}) << folder;
}

TEST_F(TinyCheckpoint, EveryModelReadsEveryTensor) {
    const auto config = [&](const char* part) { return ConfigReader::open(model() / part / "config.json"); };
    expect_reads_all<cogvideox::Transformer>(model() / "transformer", "diffusion_pytorch_model",
                                             cogvideox::read_transformer_config(config("transformer")));
    expect_reads_all<CogVideoXVae>(model() / "vae", "diffusion_pytorch_model", VaeConfig::read(config("vae")));
    expect_reads_all<T5Encoder>(model() / "text_encoder", "model", T5Config::read(config("text_encoder")));
    expect_reads_all<magic_mirror::ClipVision>(model() / "image_encoder", "model",
                                               magic_mirror::read_clip_vision_config(config("image_encoder")));
    expect_reads_all<magic_mirror::PerceiverId>(model() / "id_perceiver", "model",
                                                magic_mirror::read_perceiver_id_config(config("id_perceiver")));
    expect_reads_all<RecognizerNetwork>(model() / "recognizer", "model",
                                        read_recognizer_config(model() / "recognizer" / "config.json"));
}

TEST_F(TinyCheckpoint, TheAdapterFitsItsFolder) {
    magic_mirror::AdapterOpening opening;
    opening.id_pack = "random/tiny";
    opening.base = cogvideox::read_transformer_config(model() / "transformer" / "config.json");
    opening.base_fingerprint = WeightStore::open(model() / "transformer", "diffusion_pytorch_model")->fingerprint();
    const auto file = AdapterFile::open(model() / "adapter" / "adapter.safetensors", opening);
    EXPECT_EQ(file.warnings(), std::vector<std::string>{});
    EXPECT_EQ(file.metadata().at("arch"), "cogvideox-tiny");
    const magic_mirror::Adapter adapter(file.weights({}), file.config());
}

TEST_F(TinyCheckpoint, TheAdapterActs) {
    const auto store = WeightStore::open(model() / "adapter", "adapter");
    for (const auto& name : store->names()) EXPECT_GT(store->read_any(name).abs().max().item<float>(), 0) << name;
}

TEST_F(TinyCheckpoint, TheTokenizerFitsTheEncoder) {
    const auto tokenizer = Tokenizer::open(model() / "tokenizer" / "spiece.model", 256);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().detail;
    EXPECT_EQ(tokenizer.value().vocabulary_size(), 256);
}

TEST_F(TinyCheckpoint, SaysThatItIsRandom) {
    const auto index = ConfigReader::open(model() / "model_index.json");
    EXPECT_TRUE(index.boolean("_random_weights"));
    EXPECT_EQ(index.integer("_seed", 0, 100), 7);
}

TEST_F(TinyCheckpoint, TheSameSeedGivesTheSameBytes) {
    ASSERT_TRUE(init_checkpoint("tiny", 7, folder_->path() / "again").ok());
    ASSERT_TRUE(init_checkpoint("tiny", 8, folder_->path() / "other").ok());
    const auto first = files_below(model());
    EXPECT_EQ(first, files_below(folder_->path() / "again"));
    EXPECT_NE(first.at("vae/diffusion_pytorch_model.safetensors"),
              files_below(folder_->path() / "other").at("vae/diffusion_pytorch_model.safetensors"));
    EXPECT_EQ(first.size(), 19u);
}

TEST_F(TinyCheckpoint, TheModelsStayFinite) {
    const auto config = cogvideox::read_transformer_config(model() / "transformer" / "config.json");
    const auto store = WeightStore::open(model() / "transformer", "diffusion_pytorch_model");
    const cogvideox::Transformer transformer(WeightScope(store, {}), config);
    at::manual_seed(1);
    cogvideox::TransformerInput input;
    input.hidden_states = at::randn({1, 2, 4, 4, 4});
    input.encoder_hidden_states = at::randn({1, 16, 48});
    input.timestep = at::full({1}, 500, at::kLong);
    const double spread = transformer.forward(input).std().item<double>();
    EXPECT_GT(spread, 0.05);
    EXPECT_LT(spread, 20);

    const CogVideoXVae vae(WeightScope(WeightStore::open(model() / "vae", "diffusion_pytorch_model"), {}),
                           VaeConfig::read(ConfigReader::open(model() / "vae" / "config.json")));
    const double contrast = vae.decode(at::randn({1, 4, 2, 4, 4})).std().item<double>();
    EXPECT_GT(contrast, 0.05);
    EXPECT_LT(contrast, 5);
}

TEST(RandomCheckpoint, ParameterCountsAreThePublishedOnes) {
    const Counts tiny = counts_of("tiny");
    EXPECT_EQ(tiny.transformer, 314'448);
    EXPECT_EQ(tiny.clip, 32'480);
    EXPECT_EQ(tiny.perceiver_id, 32'448);
    EXPECT_EQ(tiny.text_encoder, 58'736);
    EXPECT_EQ(tiny.adapter, 140'528);
    const Counts demo = counts_of("demo");
    EXPECT_EQ(demo.transformer, 9'704'768);
    EXPECT_EQ(demo.clip, 2'827'200);
    EXPECT_EQ(demo.perceiver_id, 2'742'272);
    EXPECT_EQ(demo.text_encoder, 3'672'576);
    EXPECT_EQ(demo.adapter, 6'832'256);
    const Counts paper = counts_of("cogvideox-5b");
    EXPECT_EQ(paper.transformer, 5'570'283'072);
    EXPECT_EQ(paper.clip,
              303'966'208 - 1024 * 768);  // The published figure counts the projection to 768, which is not used.
    EXPECT_EQ(paper.perceiver_id, 217'122'816);
    EXPECT_EQ(paper.text_encoder, 4'762'310'656);
    EXPECT_EQ(paper.adapter, 1'734'072'832);
}

TEST(RandomCheckpoint, TensorCountsAreThePublishedOnes) {
    const auto preset = CheckpointPreset::find("cogvideox-5b");
    EXPECT_EQ(recorded<cogvideox::Transformer>(cogvideox::read_transformer_config(config_of(preset, "transformer")))
                  ->entries()
                  .size(),
              1024u);
    EXPECT_EQ(recorded<T5Encoder>(T5Config::read(config_of(preset, "text_encoder")))->entries().size(), 219u);
    const auto vae = recorded<CogVideoXVae>(VaeConfig::read(config_of(preset, "vae")));
    EXPECT_EQ(vae->entries().size(), 436u);
    EXPECT_EQ(vae->parameter_count(), 215'583'907);
    EXPECT_EQ(magic_mirror::adapter_tensors(preset.adapter).size(), 363u);
}

TEST(RandomCheckpoint, WantsAnAbsentOrEmptyFolder) {
    ScratchFolder scratch;
    fs::create_directory(scratch.path() / "empty");
    EXPECT_TRUE(init_checkpoint("tiny", 1, scratch.path() / "empty").ok());
    const Status again = init_checkpoint("tiny", 1, scratch.path() / "empty");
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().code, ErrorCode::InvalidRequest);
    EXPECT_TRUE(fs::exists(scratch.path() / "empty" / "model_index.json"));
}

TEST(RandomCheckpoint, AnUnknownPresetIsNamed) {
    ScratchFolder scratch;
    const Status status = init_checkpoint("huge", 1, scratch.path() / "model");
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.error().detail.find("huge: cogvideox-5b, demo, pocket, tiny"), std::string::npos)
        << status.error().detail;
    EXPECT_FALSE(fs::exists(scratch.path() / "model"));
}

TEST(RandomCheckpoint, AStopLeavesNothing) {
    ScratchFolder scratch;
    std::stop_source source;
    CheckpointWatch watch;
    watch.stop = source.get_token();
    watch.progress = [&](double fraction) {
        if (fraction > 0.3) source.request_stop();
    };
    const Status status = init_checkpoint("tiny", 1, scratch.path() / "deep" / "model", watch);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::Cancelled);
    EXPECT_TRUE(fs::is_empty(scratch.path()));

    fs::create_directory(scratch.path() / "empty");
    EXPECT_FALSE(init_checkpoint("tiny", 1, scratch.path() / "empty", watch).ok());
    EXPECT_TRUE(fs::is_empty(scratch.path() / "empty"));
}

TEST(RandomComponent, IsCutIntoShardsWithAnIndex) {
    ScratchFolder scratch;
    fs::create_directory(scratch.path() / "part");
    const RandomComponent component{
        "part", "model", formats::DType::BF16, {{"a.weight", {10, 10}}, {"b.weight", {30}}, {"c.weight", {20, 2}}}, {}};
    const CheckpointWatch watch;
    ByteMeter meter(watch, component.bytes());
    write_random_component(scratch.path(), component, 1, 200, meter);
    EXPECT_TRUE(fs::exists(scratch.path() / "part" / "model-00001-of-00002.safetensors"));
    const auto sharded = WeightStore::open(scratch.path() / "part");
    EXPECT_EQ(sharded->names(), (std::vector<std::string>{"a.weight", "b.weight", "c.weight"}));

    ScratchFolder whole;
    fs::create_directory(whole.path() / "part");
    write_random_component(whole.path(), component, 1, 1000, meter);
    const auto single = WeightStore::open(whole.path() / "part");
    EXPECT_EQ(single->fingerprint(), sharded->fingerprint());
}

TEST(RandomValues, DoNotDependOnHowTheyAreCutIntoPieces) {
    std::vector<float> whole(1000), pieces(1000);
    const ValueRule rule{0.5, 2.0};
    const auto key = tensor_key(3, "vae", "conv.weight");
    fill_random(whole, key, 0, rule);
    for (std::size_t at = 0; at < pieces.size(); at += 10)
        fill_random(std::span(pieces).subspan(at, 10), key, at, rule);
    EXPECT_EQ(whole, pieces);
    EXPECT_NE(key, tensor_key(3, "vae", "conv.bias"));
    EXPECT_NE(key, tensor_key(4, "vae", "conv.weight"));
}

TEST(RandomValues, HaveTheMeanAndDeviationOfTheirRule) {
    std::vector<float> values(200'000);
    fill_random(values, tensor_key(0, "vae", "x"), 0, {1.5, 0.25});
    const at::Tensor tensor = at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}, at::kFloat);
    EXPECT_NEAR(tensor.mean().item<double>(), 1.5, 0.003);
    EXPECT_NEAR(tensor.std().item<double>(), 0.25, 0.002);
}

}  // namespace
}  // namespace mirror::engine

// What is installed: several roots, licences, face networks, and what lacks.

#include <fstream>

#include "engine/weights/tensor_file.h"
#include "engine/weights/weight_store.h"
#include "tests/cli/cli_fixture.h"
#include "tests/support/onnx_writer.h"

namespace mirror::cli::testing {

namespace {

using mirror::testing::OnnxWriter;

constexpr std::int64_t kNumbers = 512;

void write(const std::filesystem::path& file, const std::string& text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
}

// 512 numbers, each the red of the first pixel between -1 and 1.
std::string recognizer() {
    OnnxWriter writer({-1, 3, 112, 112});
    const std::string one = writer.convolution("input", 112, {{1, 0, 0}}, {0});
    const std::string flat = writer.operation("Flatten", {one}, {{"axis", std::int64_t{1}}});
    const std::vector<float> ones(512, 1), zeros(512, 0);
    writer.output(writer.operation("Gemm", {flat, writer.constant({512, 1}, ones), writer.constant({512}, zeros)},
                                   {{"transB", std::int64_t{1}}}),
                  {1, 512});
    return writer.bytes();
}

}  // namespace

class ModelsTest : public CliTest {
protected:
    static nlohmann::json licence_of(const nlohmann::json& model) { return model.at("licences").at(0); }
    std::string copied(const std::string& name) const {
        std::filesystem::copy(model(), file(name), std::filesystem::copy_options::recursive);
        return file(name);
    }
    // A copy whose weights are not said to be random.
    std::string trained(const std::string& name) const {
        const std::string folder = copied(name);
        std::filesystem::remove(folder + "/model_index.json");
        return folder;
    }
    // The tiny perceiver takes 16 numbers, the published recognisers give 512.
    static void widen_perceiver(const std::string& folder) {
        auto config = nlohmann::json::parse(std::ifstream(folder + "/id_perceiver/config.json"));
        const std::int64_t inner = kNumbers * config.at("ratio").get<std::int64_t>();
        config["id_dim"] = kNumbers;
        write(folder + "/id_perceiver/config.json", config.dump());
        const std::string weights = folder + "/id_perceiver/model.safetensors";
        auto tensors = engine::load_tensors(weights);
        const std::int64_t outputs = tensors.at("token_proj.fc2.weight").size(0);
        tensors.insert_or_assign("token_proj.fc1.weight", at::full({inner, kNumbers}, 0.01));
        tensors.insert_or_assign("token_proj.fc1.bias", at::zeros({inner}));
        tensors.insert_or_assign("token_proj.fc2.weight", at::full({outputs, inner}, 0.01));
        engine::save_tensors(weights + ".new", tensors);
        std::filesystem::rename(weights + ".new", weights);
    }
    static void rewrite_adapter(const std::string& adapter_file) {
        auto metadata = engine::WeightStore::open(adapter_file)->metadata();
        auto config = nlohmann::json::parse(metadata.at("config"));
        config["perceiver_id"]["id_dim"] = kNumbers;
        metadata["config"] = config.dump();
        metadata["id_pack"] = "buffalo_l/w600k_r50";
        engine::save_tensors(adapter_file + ".new", engine::load_tensors(adapter_file), metadata);
        std::filesystem::rename(adapter_file + ".new", adapter_file);
    }
    nlohmann::json info(const std::string& folder, const std::vector<std::string>& settings = {}) const {
        const Finished finished = run({"models", "info", "--json", folder}, settings);
        EXPECT_EQ(finished.code, 0) << finished.err;
        return finished.code == 0 ? events_in(finished.out).at(0) : nlohmann::json();
    }
};

TEST_F(ModelsTest, ListsEveryRoot) {
    std::filesystem::create_directories(file("a"));
    std::filesystem::create_directories(file("b/empty"));
    copied("a/one");
    copied("b/two");
    std::filesystem::remove_all(file("b/two/transformer"));
    const std::string setting = "MAGIC_MIRROR_MODELS=" + file("a") + ":" + file("b") + "::" + file("nowhere");
    for (const Finished& list : {run({"models", "list", "--json"}, {setting}),
                                 run({"models", "list", "--json", "--root", file("a"), "--root", file("b")})}) {
        ASSERT_EQ(list.code, 0) << list.err;
        auto models = events_in(list.out);
        if (models.size() == 3) {
            EXPECT_TRUE(models.back().at("path").get<std::string>().ends_with("models/pocket"))
                << "only the built-in one";
            models.pop_back();
        }
        ASSERT_EQ(models.size(), 2u) << list.out;
        EXPECT_EQ(models[0].at("path"), file("a/one"));
        EXPECT_EQ(licence_of(models[0]).at("name"), "none: random weights");
        EXPECT_EQ(models[1].at("path"), file("b/two"));
        EXPECT_NE(models[1].at("error").get<std::string>().find("transformer/config.json"), std::string::npos);
        EXPECT_EQ(models[1].at("missing").at(0).at("folder"), "transformer/");
    }
    const Finished text = run({"models", "list"}, {setting});
    EXPECT_NE(text.out.find("/b/two"), std::string::npos) << text.out;
    EXPECT_NE(text.out.find("cannot be used"), std::string::npos) << text.out;
    const Finished none = run({"models", "list", "--root", file("nowhere")});
    EXPECT_EQ(none.code, 0);
    EXPECT_NE(none.out.find("No model is installed in"), std::string::npos) << none.out;
}

TEST_F(ModelsTest, ReadsLicencesFromCardAndText) {
    const std::string folder = trained("model");
    for (const auto& licence : info(folder).at("licences"))  // Its perceiver is not the published one.
        EXPECT_NE(licence.at("part"), "id_perceiver") << licence;
    EXPECT_EQ(licence_of(info(folder)).at("name"), "not stated");
    write(folder + "/LICENSE", "   Apache License\n   Version 2.0, January 2004\n");
    EXPECT_EQ(licence_of(info(folder)),
              (nlohmann::json{{"part", "checkpoint"}, {"name", "Apache-2.0"}, {"source", "LICENSE"}}));
    write(folder + "/LICENSE", "The CogVideoX License\n\n1. Definitions\n");
    EXPECT_EQ(licence_of(info(folder)).at("name"), "CogVideoX License");
    write(folder + "/README.md", "---\nlanguage:\n  - en\nlicense: mit\n---\n# Model\nlicense: apache-2.0\n");
    EXPECT_EQ(licence_of(info(folder)),
              (nlohmann::json{{"part", "checkpoint"}, {"name", "MIT"}, {"source", "README.md"}}));
    write(folder + "/README.md", "---\nlicense: other\nlicense_name: \"my own\"\n---\n");
    EXPECT_EQ(licence_of(info(folder)).at("name"), "my own");
    write(folder + "/README.md", "license: mit\n");
    EXPECT_EQ(licence_of(info(folder)).at("source"), "LICENSE");
}

TEST_F(ModelsTest, ReportsFaceNetworksAndWhatTheyStandInFor) {
    write(file("faces/w600k_r50.onnx"), recognizer());
    write(file("faces/broken.onnx"), "no network");
    const std::vector<std::string> settings{"MIRROR_FACE_MODELS=" + file("faces")};
    auto networks = events_in(run({"models", "list", "--json"}, settings).out);
    std::erase_if(networks, is_builtin);
    ASSERT_EQ(networks.size(), 2u);
    EXPECT_EQ(networks[0].at("path"), file("faces/w600k_r50.onnx"));
    EXPECT_EQ(networks[0].at("kind"), "ArcFace face recogniser");
    EXPECT_EQ(networks[0].at("id_pack"), "buffalo_l/w600k_r50");
    EXPECT_EQ(networks[1].at("kind"), "ONNX network of an unknown kind");

    const std::string folder = copied("model");
    std::filesystem::remove_all(folder + "/recognizer");
    const auto missing = info(folder, settings).at("missing");
    ASSERT_EQ(missing.size(), 1u);  // The adapter understands another recogniser.
    EXPECT_EQ(missing[0].at("folder"), "recognizer/");
}

TEST_F(ModelsTest, VerifiesForTheRecogniserThatARunWouldTake) {
    const std::string folder = copied("model");
    rewrite_adapter(folder + "/adapter/adapter.safetensors");
    const Finished refused = run({"models", "verify", folder});
    EXPECT_EQ(refused.code, 1);
    expect_one_line(refused, "buffalo_l/w600k_r50");
    write(file("faces/w600k_r50.onnx"), recognizer());
    const Finished whole = run({"models", "verify", folder}, {"MIRROR_FACE_MODELS=" + file("faces")});
    EXPECT_EQ(whole.code, 0) << whole.err;
}

// The whole way: an adapter that names an insightface pack, its ONNX file, and a photograph.
TEST_F(ModelsTest, GeneratesWithAnInstalledRecogniser) {
    const std::string folder = copied("model");
    std::filesystem::remove_all(folder + "/recognizer");
    widen_perceiver(folder);
    rewrite_adapter(folder + "/adapter/adapter.safetensors");
    write(file("faces/buffalo_l/w600k_r50.onnx"), recognizer());
    write(file("other/glintr100.onnx"), recognizer());
    write(file("broken/w600k_r50.onnx"), "no network");

    const std::vector<std::string> command{"image",   "--reference", photo(),        "--prompt", "a man img",
                                           "--model", folder,        "--size",       "64x48",    "--steps",
                                           "1",       "-o",          file("out.png")};
    const auto with = [&](const char* faces) { return run(command, {"MIRROR_FACE_MODELS=" + file(faces)}); };
    const Finished finished = with("faces");
    EXPECT_EQ(finished.code, 0) << finished.err;
    EXPECT_TRUE(finished.err.empty()) << finished.err;
    EXPECT_TRUE(std::filesystem::exists(file("out.png")));
    EXPECT_EQ(info(folder, {"MIRROR_FACE_MODELS=" + file("faces")}).at("installed_recognizer"),
              file("faces/buffalo_l/w600k_r50.onnx"));

    for (const auto& [faces, words] : std::vector<std::pair<const char*, const char*>>{
             {"other", "antelopev2/glintr100"}, {"broken", "w600k_r50.onnx"}, {"nowhere", "MIRROR_FACE_MODELS"}}) {
        std::filesystem::remove(file("out.png"));
        const Finished refused = with(faces);
        EXPECT_EQ(refused.code, 1) << faces;
        expect_one_line(refused, words);
        EXPECT_FALSE(std::filesystem::exists(file("out.png")));
    }
}

}  // namespace mirror::cli::testing

// The recogniser follows the adapter: the checkpoint's own, an installed one, or a refusal that says what is wrong.

#include "engine/session/recognizer_choice.h"

#include <fstream>

#include "engine/formats/sha256.h"
#include "engine/session/verify_model.h"
#include "engine/weights/tensor_file.h"
#include "tests/session/session_fixture.h"

namespace mirror::engine::testing {
namespace {

class NumberedRecognizer : public InstalledRecognizer {
public:
    NumberedRecognizer(std::string id_pack, std::filesystem::path file, std::size_t numbers = 512)
        : id_pack_(std::move(id_pack)), file_(std::move(file)), numbers_(numbers) {}

    const std::filesystem::path& file() const override { return file_; }
    const std::string& id_pack() const override { return id_pack_; }
    Result<std::vector<std::vector<float>>> embed(std::span<const Frame> aligned) override {
        std::vector<std::vector<float>> vectors;
        for (const Frame& face : aligned) {
            vectors.emplace_back(numbers_, 0.25f);
            vectors.back()[0] = face.rgb[0];
        }
        return vectors;
    }

private:
    std::string id_pack_;
    std::filesystem::path file_;
    std::size_t numbers_;
};

class FacesWithRecognizers : public DrawnFaces {
public:
    std::vector<std::shared_ptr<InstalledRecognizer>> recognizers() override { return installed; }

    std::vector<std::shared_ptr<InstalledRecognizer>> installed;
};

class ChoiceOfRecognizer : public ::testing::Test {
protected:
    ChoiceOfRecognizer() {
        std::filesystem::copy(tiny_checkpoint(), model(), std::filesystem::copy_options::recursive);
        std::ofstream(recognizer_file()) << "a recogniser";
    }

    std::filesystem::path model() const { return folder_.path() / "model"; }
    std::filesystem::path adapter() const { return model() / "adapter" / "adapter.safetensors"; }
    std::filesystem::path recognizer_file() const { return folder_.path() / "some.onnx"; }
    ModelFolder opened() const { return {model(), {at::kFloat, at::kCPU}, WeightCheck::Finite}; }
    std::int64_t id_dim() const { return opened().perceiver_id_config().shape.id_dim; }
    void install(const std::string& id_pack, std::size_t numbers = 512) {
        faces_.installed.push_back(std::make_shared<NumberedRecognizer>(id_pack, recognizer_file(), numbers));
    }
    void without_own() const { std::filesystem::remove_all(model() / "recognizer"); }
    void rewrite_adapter(const std::string& field, const std::string& value) const {
        const auto store = WeightStore::open(adapter());
        formats::Metadata metadata = store->metadata();
        metadata[field] = value;
        save_tensors(folder_.path() / "new", load_tensors(adapter()), metadata);
        std::filesystem::rename(folder_.path() / "new", adapter());
    }
    RecognizerChoice choice() { return RecognizerChoice::make(opened(), faces_, adapter()); }

    Result<GenerationReport> generate() {
        auto faces = std::make_unique<FacesWithRecognizers>();
        faces->installed = faces_.installed;
        GenerationRequest request;
        request.model = model();
        request.prompt = {"a man img smiles", ""};
        request.video = {32, 32, 9, {8, 1}};
        request.sampling.steps = 1;
        request.references = {{"anna.jpg", {}}};
        MemorySink sink;
        const Observer observer{{}, 0};
        return open_session(std::move(faces))
            ->generate(request, {folder_.path() / "latents.safetensors"}, sink, observer, {});
    }

    TemporaryFolder folder_;
    FacesWithRecognizers faces_;
};

const std::vector<Frame> kFaces{{112, 112, std::vector<std::uint8_t>(112 * 112 * 3, 7)},
                                {112, 112, std::vector<std::uint8_t>(112 * 112 * 3, 9)}};

TEST_F(ChoiceOfRecognizer, PrefersTheCheckpointsOwn) {
    install("random/tiny");
    EXPECT_EQ(choice().id_pack(), "random/tiny");
    const at::Tensor vectors = choice().embed(opened(), kFaces, id_dim());
    EXPECT_EQ(vectors.sizes(), (at::IntArrayRef{2, id_dim()}));
    EXPECT_NE(vectors[0][0].item<float>(), 7);
}

TEST_F(ChoiceOfRecognizer, TakesTheInstalledOneThatTheAdapterNames) {
    rewrite_adapter("id_pack", "buffalo_l/w600k_r50");
    install("antelopev2/glintr100");
    install("buffalo_l/w600k_r50", static_cast<std::size_t>(id_dim()));
    EXPECT_EQ(choice().id_pack(), "buffalo_l/w600k_r50");
    const at::Tensor vectors = choice().embed(opened(), kFaces, id_dim());
    EXPECT_EQ(vectors.sizes(), (at::IntArrayRef{2, id_dim()}));
    EXPECT_EQ(vectors[0][0].item<float>(), 7);
    EXPECT_EQ(vectors[1][0].item<float>(), 9);
    EXPECT_TRUE(generate().ok());
    without_own();
    const auto report = generate();
    EXPECT_TRUE(report.ok()) << report.error().detail;
}

TEST_F(ChoiceOfRecognizer, IsTheOneThatAFolderIsVerifiedFor) {
    rewrite_adapter("id_pack", "buffalo_l/w600k_r50");
    const auto refused = verify_model(model(), faces_, {});
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().detail.find("random/tiny"), std::string::npos) << refused.error().detail;
    install("buffalo_l/w600k_r50");
    const auto parts = verify_model(model(), faces_, {});
    EXPECT_TRUE(parts.ok()) << parts.error().detail;
}

TEST_F(ChoiceOfRecognizer, KnowsAFileByItsChecksum) {
    rewrite_adapter("id_pack", "somebody/own");
    rewrite_adapter("id_pack_sha256", formats::sha256_hex("a recogniser"));
    without_own();
    install("custom", static_cast<std::size_t>(id_dim()));
    EXPECT_EQ(choice().id_pack(), "somebody/own");
    EXPECT_TRUE(generate().ok());
    rewrite_adapter("id_pack_sha256", std::string(64, '0'));
    EXPECT_EQ(choice().id_pack(), "custom");
    EXPECT_FALSE(generate().ok());
}

TEST_F(ChoiceOfRecognizer, RefusesAnotherEmbeddingSpace) {
    rewrite_adapter("id_pack", "buffalo_l/w600k_r50");
    for (const char* in_use : {"random/tiny", "antelopev2/glintr100"}) {
        const auto report = generate();
        ASSERT_FALSE(report.ok());
        const std::string& sentence = report.error().detail;
        EXPECT_NE(sentence.find("id_pack is buffalo_l/w600k_r50"), std::string::npos) << sentence;
        EXPECT_NE(sentence.find(in_use), std::string::npos) << sentence;
        without_own();
        install("antelopev2/glintr100");
    }
}

TEST_F(ChoiceOfRecognizer, SaysWhatToInstall) {
    rewrite_adapter("id_pack", "buffalo_l/w600k_r50");
    without_own();
    const auto report = generate();
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().code, ErrorCode::MissingFile);
    EXPECT_NE(report.error().detail.find("buffalo_l/w600k_r50"), std::string::npos) << report.error().detail;
    EXPECT_NE(report.error().detail.find("MIRROR_FACE_MODELS"), std::string::npos) << report.error().detail;
}

TEST_F(ChoiceOfRecognizer, RefusesVectorsOfAnotherLength) {
    rewrite_adapter("id_pack", "sface");
    install("sface", 128);
    const auto report = generate();
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().code, ErrorCode::ShapeMismatch);
    EXPECT_NE(report.error().detail.find("gives 128 numbers"), std::string::npos) << report.error().detail;
}

}  // namespace
}  // namespace mirror::engine::testing

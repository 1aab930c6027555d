#include "engine/metrics/face_embedder.h"

#include <c10/core/GradMode.h>

#include <utility>

#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/session/model_folder.h"

namespace mirror::metrics {

namespace {

using engine::ModelFolder;

class CheckpointEmbedder : public FaceEmbedder {
public:
    explicit CheckpointEmbedder(const ModelFolder& folder) : network_(folder.recognizer()) {}

    std::vector<std::vector<float>> embed(std::span<const Frame> aligned) override {
        if (aligned.empty()) return {};
        const c10::NoGradGuard no_gradients;
        const at::Tensor rows = network_.embed(aligned).to(at::kCPU, at::kFloat).contiguous();
        std::vector<std::vector<float>> vectors;
        for (std::int64_t i = 0; i < rows.size(0); ++i) {
            const auto* first = rows[i].const_data_ptr<float>();
            vectors.emplace_back(first, first + rows.size(1));
        }
        return vectors;
    }
    const std::string& id_pack() const override { return network_.id_pack(); }

private:
    engine::NetworkRecognizer network_;
};

class InstalledEmbedder : public FaceEmbedder {
public:
    explicit InstalledEmbedder(std::shared_ptr<InstalledRecognizer> recognizer) : recognizer_(std::move(recognizer)) {}

    std::vector<std::vector<float>> embed(std::span<const Frame> aligned) override {
        return value_or_throw(recognizer_->embed(aligned));
    }
    const std::string& id_pack() const override { return recognizer_->id_pack(); }

private:
    std::shared_ptr<InstalledRecognizer> recognizer_;
};

}  // namespace

std::unique_ptr<FaceEmbedder> make_face_embedder(const std::filesystem::path& model, const std::string& device,
                                                 FaceReader& faces) {
    engine::fix_numerics();
    const ModelFolder folder(model, {at::kFloat, engine::device_from_text(device)}, engine::WeightCheck::Finite);
    if (folder.has("recognizer")) return std::make_unique<CheckpointEmbedder>(folder);
    std::error_code ignored;
    if (!std::filesystem::is_directory(model, ignored))
        throw EngineError(ErrorCode::MissingFile, "The model " + path_for_message(model) + " is not a folder.");
    const auto installed = faces.recognizers();
    if (!installed.empty()) return std::make_unique<InstalledEmbedder>(installed.front());
    throw EngineError(ErrorCode::MissingFile,
                      "The model " + path_for_message(model) +
                          " has no recognizer/ to compare faces with, and no recogniser lies in the folder that "
                          "MIRROR_FACE_MODELS names.");
}

bool is_arcface_space(const std::string& id_pack) {
    return id_pack.starts_with("buffalo_") || id_pack.starts_with("antelopev2");
}

}  // namespace mirror::metrics

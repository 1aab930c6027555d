#include "engine/training/judge.h"

#include <c10/core/GradMode.h>

#include "engine/core/result.h"
#include "engine/face/face_tensors.h"
#include "engine/weights/weight_store.h"

namespace mirror::engine::training {

namespace {

at::Tensor unit_rows(const at::Tensor& x) { return x / x.norm(2, -1, true).clamp_min(1e-12); }

FaceBox face_of(const at::Tensor& numbers, double width, double height) {
    const at::Tensor row = numbers.to(at::kCPU, at::kDouble).contiguous();
    const auto* n = row.const_data_ptr<double>();
    FaceBox face{n[0] * width, n[1] * height, n[2] * width, n[3] * height, 1.0, {}};
    for (std::size_t i = 0; i < face.landmarks.size(); ++i)
        face.landmarks[i] = {n[4 + 2 * i] * width - 0.5, n[5 + 2 * i] * height - 0.5};
    return face;
}

std::int64_t likeliest(const at::Tensor& logits) {
    return at::softmax(logits, 1).mean(0).argmax().item<std::int64_t>();
}

}  // namespace

Judge Judge::open(const std::filesystem::path& folder) {
    const JudgeConfig config = JudgeConfig::read(ConfigReader::open(folder / "config.json"));
    const auto store = WeightStore::open(folder, "model");
    return Judge(JudgeNetwork(WeightScope(store, {at::kFloat, at::kCPU}), config));
}

Verdict Judge::look_at(std::span<const Frame> frames) const {
    if (frames.empty()) throw EngineError(ErrorCode::InvalidRequest, "There is no frame to judge.");
    const c10::NoGradGuard no_gradients;
    const at::Tensor pictures = resized_pictures(arcface_input(frames), JudgeConfig::picture_size);
    const at::Tensor small = resized_pictures(pictures, JudgeConfig::small_size);
    const SeenFrames seen = network_.frames(small);
    Verdict verdict;
    verdict.frame_identities = unit_rows(network_.identities(face_crops(pictures, seen.faces)));
    verdict.identity = unit_rows(verdict.frame_identities.mean(0));
    for (std::int64_t i = 0; i < small.size(0); ++i)
        verdict.faces.push_back(face_of(seen.faces[i], frames[0].width, frames[0].height));
    verdict.action = static_cast<people::Action>(likeliest(network_.actions(small.unsqueeze(0))));
    verdict.place = static_cast<people::Place>(likeliest(seen.places));
    verdict.style = static_cast<people::Style>(likeliest(seen.styles));
    return verdict;
}

}  // namespace mirror::engine::training

#include "engine/face/face_recognizer.h"

#include "engine/face/face_tensors.h"

namespace mirror::engine {

at::Tensor NetworkRecognizer::embed(std::span<const Frame> aligned) const {
    return network_.forward(arcface_input(aligned).to(placement_.device, placement_.dtype));
}

at::Tensor identity_similarity(const at::Tensor& a, const at::Tensor& b) {
    const auto unit = [](const at::Tensor& x) {
        const at::Tensor wide = x.to(at::kFloat);
        return wide / wide.norm(2, -1, true).clamp_min(1e-12);
    };
    return at::matmul(unit(a), unit(b).t());
}

}  // namespace mirror::engine

#include "engine/face/face_tensors.h"

#include <string>
#include <vector>

#include "engine/core/result.h"

namespace mirror::engine {
namespace {

// [N, 3, H, W] float32 with values 0 to 255.
at::Tensor to_planes(std::span<const Frame> pictures) {
    if (pictures.empty()) throw EngineError(ErrorCode::InvalidRequest, "There is no picture to read a face from.");
    std::vector<at::Tensor> planes;
    planes.reserve(pictures.size());
    for (const Frame& picture : pictures) {
        if (picture.width != pictures[0].width || picture.height != pictures[0].height)
            throw EngineError(ErrorCode::ShapeMismatch, "The pictures of one batch must have the same size.");
        const at::Tensor packed =
            at::from_blob(const_cast<std::uint8_t*>(picture.rgb.data()), {picture.height, picture.width, 3}, at::kByte);
        planes.push_back(packed.permute({2, 0, 1}).to(at::kFloat));
    }
    return at::stack(planes).contiguous();
}

at::Tensor per_channel(double red, double green, double blue) {
    return at::tensor({red, green, blue}, at::kDouble).to(at::kFloat).view({1, 3, 1, 1});
}

}  // namespace

at::Tensor arcface_input(std::span<const Frame> faces) { return (to_planes(faces) - 127.5) / 127.5; }

at::Tensor clip_pixel_values(std::span<const Frame> pictures) {
    const at::Tensor mean = per_channel(0.48145466, 0.4578275, 0.40821073);
    const at::Tensor deviation = per_channel(0.26862954, 0.26130258, 0.27577711);
    return (to_planes(pictures) / 255.0 - mean) / deviation;
}

}  // namespace mirror::engine

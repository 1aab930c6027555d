#pragma once

// Drawn clips as latents, made once each when first asked for: the autoencoder is frozen in the stages that use them.

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "engine/training/drawn_data.h"
#include "engine/vae/cogvideox_vae.h"

namespace mirror::engine::training {

struct LatentClip {
    people::SceneRequest scene;
    at::Tensor latents;    // bfloat16 [F, Z, h, w], scaled as the transformer wants them.
    at::Tensor face_area;  // float32 [F, 1, h, w]: how much of each cell is face.
    FaceBox first_face;    // Of the first frame, in pixels.
};

class LatentCache {
public:
    LatentCache(std::shared_ptr<const CogVideoXVae> vae, at::Device device, DrawnOptions options, people::Split split,
                std::uint64_t seed);

    // Clip number `item`; of one frame or of options.frames.
    const LatentClip& clip(std::int64_t item, bool still);

private:
    LatentClip make(std::int64_t item, bool still) const;

    std::shared_ptr<const CogVideoXVae> vae_;
    at::Device device_;
    DrawnOptions options_;
    people::Split split_;
    std::uint64_t seed_;
    std::map<std::pair<std::int64_t, bool>, LatentClip> clips_;
};

// The face box of every frame, 1.3 times as large, averaged over each latent cell: latent frame 0 is frame 0, latent
// frame k the mean of the frames that it was made of.
at::Tensor face_area(const std::vector<people::DrawnFace>& faces, std::int64_t height, std::int64_t width,
                     std::int64_t cell, std::int64_t frames_of_a_latent);

}  // namespace mirror::engine::training

#pragma once

// Drawn clips as latents, made once each: the autoencoder is frozen in the stages that use them.

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/training/drawn_data.h"
#include "engine/training/model_start.h"
#include "engine/vae/cogvideox_vae.h"

namespace mirror::engine::training {

struct LatentClip {
    people::SceneRequest scene;
    at::Tensor latents;    // bfloat16 [F, Z, h, w], scaled as the transformer wants them.
    at::Tensor face_area;  // float32 [F, 1, h, w]: how much of each cell is face.
    FaceBox first_face;    // Of the first frame, in pixels.
};

// The autoencoder that makes latents, and the fingerprint of its weights.
struct LatentSource {
    std::shared_ptr<const CogVideoXVae> vae;
    at::Device device;
    std::string fingerprint;

    // What decides the latents of a picture: the weights, and the factor that latents are scaled by.
    std::string makes() const;
};

// That of the model a stage starts from, frozen.
LatentSource open_latent_source(const ModelStart& start, at::Device device);

// Where the options name a folder, clips are made and kept there in blocks, for other runs on the same clips and the
// same autoencoder; else each is made when it is first asked for and kept in memory alone.
class LatentCache {
public:
    LatentCache(LatentSource source, DrawnOptions options, people::Split split, std::uint64_t seed);

    // Clip number `item`; of one frame or of options.frames. EngineError: WriteFailed.
    const LatentClip& clip(std::int64_t item, bool still);

private:
    using Block = std::vector<LatentClip>;

    const Block& block(std::int64_t first, bool still);
    Block make(std::int64_t first, std::int64_t count, bool still) const;
    people::SceneRequest scene(std::int64_t item, bool still) const;
    std::filesystem::path file_of(std::int64_t first, bool still) const;

    LatentSource source_;
    DrawnOptions options_;
    people::Split split_;
    std::uint64_t seed_;
    std::int64_t block_size_;
    std::map<std::pair<std::int64_t, bool>, Block> blocks_;  // By the first item.
};

// The face box of every frame, 1.3 times as large, averaged over each latent cell: latent frame 0 is frame 0, latent
// frame k the mean of the frames that it was made of.
at::Tensor face_area(const std::vector<people::DrawnFace>& faces, std::int64_t height, std::int64_t width,
                     std::int64_t cell, std::int64_t frames_of_a_latent);

}  // namespace mirror::engine::training

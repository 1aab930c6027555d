#pragma once

// Drawn people as tensors: sample number n of a run is always the same clip.

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "engine/core/frame.h"
#include "engine/training/people/people.h"
#include "engine/training/random_stream.h"
#include "engine/weights/config_reader.h"

namespace mirror::engine::training {

// The part "data" of a recipe.
struct DrawnOptions {
    // For a stage that draws every clip anew, and may cut squares out of it.
    static DrawnOptions read(const ConfigReader& file);
    // For a stage that keeps its clips, whole: `items` has to be said.
    static DrawnOptions read_counted(const ConfigReader& file);

    int width = 96;
    int height = 96;
    int frames = 1;               // Of a clip.
    double still_share = 0;       // Of the batches: one frame instead of a clip.
    int crop = 0;                 // Side of a square cut out of every picture; 0: the whole.
    double face_crops = 0.6;      // Share of those cut around the face.
    std::int64_t items = 0;       // How many different clips there are, for stages that keep them; 0: not said.
    std::int64_t people = 0;      // How many of the split's people are drawn; 0: always new ones.
    bool pairs = false;           // Items 2k and 2k + 1 are one scene, with another action in the second.
    std::filesystem::path cache;  // Folder for latents of these clips; empty: they stay in memory.
    people::SceneOptions scenes;
};

struct DrawnClip {
    people::SceneRequest scene;
    at::Tensor pixels;  // uint8 [3, T, H, W]
    std::vector<people::DrawnFace> faces;
};

people::SceneRequest drawn_scene(const DrawnOptions& options, people::Split split, std::uint64_t seed,
                                 std::int64_t sample, int frames);
DrawnClip draw(const people::SceneRequest& scene);

// uint8 to -1..1, float32.
at::Tensor to_signal(const at::Tensor& pixels);
// -1..1 to uint8, rounded and limited.
at::Tensor to_pixels(const at::Tensor& signal);

// Pictures [3, H, W] in -1..1, all of one size, side by side in rows of `columns` with a thin gap.
Frame picture_grid(const std::vector<at::Tensor>& pictures, int columns);

}  // namespace mirror::engine::training

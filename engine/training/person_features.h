#pragma once

// The networks that turn a reference into an identity: recogniser, vision tower and id perceiver, with the data that
// train them.

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "engine/training/drawn_data.h"
#include "engine/training/random_stream.h"
#include "engine/training/reference_pictures.h"

namespace mirror::engine::training {

// Pictures of people for recognition. `people` of a split, each in any scene, pose, light and style.
struct PeopleOptions {
    static PeopleOptions read(const ConfigReader& file);

    std::int64_t people = 10'000;
    double portraits = 0.5;  // Share of calm portraits; the rest are frames of scenes.
    int size = 96;
    double styles = 0.1;  // Of each style other than the first.
};

struct PeopleBatch {
    at::Tensor aligned;  // [B, 3, 112, 112]
    at::Tensor crops;    // [B, 3, size, size]
    at::Tensor codes;    // [B, kIdentityCodeLength]
    at::Tensor classes;  // [B] int64: the index of the person in the split
    std::vector<people::SceneRequest> scenes;
};

// Sample n is always the same.
PeopleBatch people_batch(const PeopleOptions& options, people::Split split, std::uint64_t seed, std::int64_t first,
                         std::int64_t count, std::int64_t crop_size, double expand, const ReferenceChanges& changes);

// `pictures` of each of `people` persons, person by person: for galleries.
PeopleBatch gallery_batch(const PeopleOptions& options, people::Split split, std::int64_t people, std::int64_t pictures,
                          std::int64_t crop_size, double expand);

// The share of rows whose nearest person is the right one: embeddings [people * pictures, D], the last picture of each
// person asks, the mean of the others answers.
double top_1(const at::Tensor& embeddings, std::int64_t people, std::int64_t pictures);

// Large-margin cosine loss (Wang et al., CosFace, 2018). embeddings [B, D], weights [C, D], classes [B].
at::Tensor margin_loss(const at::Tensor& embeddings, const at::Tensor& weights, const at::Tensor& classes, double scale,
                       double margin);

// Error of a predicted identity code: squared for the traits, cross-entropy for each one-hot.
at::Tensor code_loss(const at::Tensor& predicted, const at::Tensor& codes);

}  // namespace mirror::engine::training

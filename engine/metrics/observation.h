#pragma once

// What the measures of a video are made of: where the face is in each frame, and who it looks like. Plain values, so
// that every measure can be checked with numbers worked out by hand.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/core/face.h"

namespace mirror::metrics {

struct FaceSeen {
    FaceBox box;
    std::vector<float> embedding;  // As the recogniser gives it, not normalised.
};

struct ObservedFrame {
    std::int64_t index = 0;  // In the video, counted from 0.
    std::optional<FaceSeen> face;
};

struct ObservedClip {
    int width = 0;  // Of a frame, pixels.
    int height = 0;
    std::vector<ObservedFrame> frames;  // In the order of time.
};

// `wanted` positions from the first to the last of `total`, evenly spaced and rounded; all of them if there are no more
// or if `wanted` is 0.
std::vector<std::int64_t> uniform_indices(std::int64_t total, std::int64_t wanted);

// The clip's frames at those positions.
ObservedClip sampled(const ObservedClip& clip, std::int64_t wanted);

// The share of frames without a face; 0 of no frames.
double missing_share(const ObservedClip& clip);

// Cosine of the angle between two vectors of one length; 0 if either is zero.
double cosine(std::span<const float> a, std::span<const float> b);

// The mean of the vectors, each brought to length 1 before.
std::vector<float> mean_direction(std::span<const FaceSeen> faces);

}  // namespace mirror::metrics

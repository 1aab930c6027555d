#pragma once

// How the five landmarks of a face move: against the reference photograph, where copying it would give nothing, and
// from frame to frame.

#include <array>
#include <optional>
#include <span>

#include "engine/metrics/observation.h"

namespace mirror::metrics {

// Of the distances between neighbouring sampled frames.
enum class InterReduce { Max, Mean, Sum };
// What a face is measured in when two are compared: its box, or the distance between its eyes.
enum class FaceUnit { Box, Interocular };

struct MotionOptions {
    InterReduce inter_reduce = InterReduce::Max;
    FaceUnit unit = FaceUnit::Box;
    // Faces below are left out: their landmarks cannot be trusted.
    double least_score = 0.6;
    double least_eye_distance = 8;  // Pixels.
};

// Landmarks in units of the face: of its box from the upper left corner, or of the distance between the eyes from their
// middle.
std::array<Point, 5> normalised_landmarks(const FaceBox& face, FaceUnit unit);

// The sum of the five distances between a frame's normalised landmarks and the reference's, mean over the frames, mean
// over the references. Nothing without a usable face on both sides.
std::optional<double> reference_motion(std::span<const FaceSeen> references, const ObservedClip& clip,
                                       const MotionOptions& options);

// The sum of the five distances, in parts of the picture's sides, between neighbouring frames with a usable face, then
// reduced. A jump counts as the detector's if the boxes do not overlap at all and the later face is less like the
// references: the later face is left out then, and with it the way to it and back. Nothing with fewer than two faces
// that are left.
std::optional<double> inter_frame_motion(std::span<const FaceSeen> references, const ObservedClip& clip,
                                         const MotionOptions& options);

// Common area over joint area of two boxes.
double overlap(const FaceBox& a, const FaceBox& b);

}  // namespace mirror::metrics
